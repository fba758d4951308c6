import { ShapeError } from '../gpu/errors.js';
import type { Tensor } from '../tensor.js';
import { Module } from './module.js';

/** Modules run one after the other; a child is named by its place. */
export class Sequential extends Module {
  readonly layers: readonly Module[];

  constructor(...layers: readonly Module[]) {
    super();
    const strange = layers.findIndex((layer) => !(layer instanceof Module));
    if (strange >= 0) {
      throw new ShapeError(
        `Sequential: layer ${strange} must be a module, got ${describe(layers[strange])}`,
        'pass layers one after the other: new Sequential(a, b)',
      );
    }
    this.layers = layers;
  }

  override *children(): Generator<[string, Module]> {
    for (const [i, layer] of this.layers.entries()) yield [String(i), layer];
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((value, layer) => layer.call(value), x);
  }
}

function describe(value: unknown): string {
  return Array.isArray(value) ? 'an array' : typeof value;
}
