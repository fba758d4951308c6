import { flatten, pad } from '../ops/shape.js';
import type { Tensor } from '../tensor.js';
import { Module } from './module.js';

/** [N, …] → [N, product of the rest]. */
export class Flatten extends Module {
  forward(x: Tensor): Tensor {
    return flatten(x);
  }
}

type Sides = readonly [before: number, after: number];

/** Zeros round the images: a number for all sides, or [[top, bottom], [left, right]]. */
export class ZeroPad2d extends Module {
  constructor(readonly padding: number | readonly [Sides, Sides]) {
    super();
  }

  forward(x: Tensor): Tensor {
    const { padding } = this;
    const high: Sides = typeof padding === 'number' ? [padding, padding] : padding[0];
    const wide: Sides = typeof padding === 'number' ? high : padding[1];
    return pad(x, { padding: [[0, 0], high, wide, [0, 0]] });
  }

  override describe(): string {
    return JSON.stringify(this.padding);
  }
}
