import { ShapeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { convBatchNorm, convolveForNorm, isBatchNorm, isConvLayer } from './conv_batch_norm.js';
import { Module } from './module.js';
import { recompute } from './recompute.js';

/** Modules that run in sequence; a child's name is its index. */
export class Sequential extends Module {
  readonly layers: readonly Module[];
  /**
   * Runs of layers [from, to), in order, that backward recomputes instead of saving: see `recompute`.
   */
  recomputedRuns: readonly (readonly [number, number])[] = [];

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
    let value = x;
    let done = 0;
    for (const [from, to] of this.recomputedRuns) {
      value = this.run(value, done, from);
      value = recompute((first) => this.run(first, from, to), value);
      done = to;
    }
    return this.run(value, done, this.layers.length);
  }

  private run(x: Tensor, from: number, to: number): Tensor {
    let value = x;
    for (let i = from; i < to; i++) {
      const [layer, next] = [this.layers[i], this.layers[i + 1]];
      if (!isConvLayer(layer) || !isBatchNorm(next)) value = layer.call(value);
      // A run that ends between the two trains as if it did not.
      else if (i + 1 === to) value = convolveForNorm(layer, next, value);
      else {
        value = convBatchNorm(layer, next, value);
        i++;
      }
    }
    return value;
  }
}

function describe(value: unknown): string {
  return Array.isArray(value) ? 'an array' : typeof value;
}
