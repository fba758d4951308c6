import { fillArray } from '../kernels/fill.js';
import { mul } from '../ops/elementwise.js';
import { dropout } from '../ops/random.js';
import { Tensor } from '../tensor.js';
import { Module } from './module.js';

/** Sets a share `rate` of the values to zero while training and scales the others up. */
export class Dropout extends Module {
  constructor(readonly options: { rate: number }) {
    super();
  }

  forward(x: Tensor): Tensor {
    return dropout(x, { rate: this.options.rate, training: this.isTraining });
  }

  override describe(): string {
    return String(this.options.rate);
  }
}

/**
 * Drops whole examples of a residual branch while training and scales the others up, so that a
 * network of random depth is trained: x [N …] · mask [N 1 …] / (1 − rate).
 *
 * Source: Huang et al., "Deep Networks with Stochastic Depth", arXiv:1603.09382, section 3.
 */
export class StochasticDepth extends Module {
  constructor(readonly options: { rate: number }) {
    super();
  }

  forward(x: Tensor): Tensor {
    const { rate } = this.options;
    if (!this.isTraining || rate === 0) return x;
    const ones = Tensor.own(x.runtime, fillArray(x.runtime, x.shape.map(firstOnly), 'f32', 1));
    const mask = dropout(ones, { rate, training: true });
    const y = mul(x, mask);
    // The tape keeps what it needs of the mask; nobody else has a use for it.
    ones.dispose();
    mask.dispose();
    return y;
  }

  override describe(): string {
    return String(this.options.rate);
  }
}

function firstOnly(length: number, axis: number): number {
  return axis === 0 ? length : 1;
}
