import { ShapeError } from '../errors.js';
import { fillArray } from '../kernels/fill.js';
import { mul } from '../ops/elementwise.js';
import { dropout } from '../ops/random.js';
import { Tensor } from '../tensor.js';
import { Module } from './module.js';

/** A layer that drops something while training. */
abstract class DroppingModule extends Module {
  private share = 0;

  constructor({ rate }: { rate: number }) {
    super();
    this.rate = rate;
  }

  /**
   * The share that is dropped, in [0, 1). A new value applies from the next forward pass; a captured
   * step keeps the value it was captured with.
   *
   * Errors: ShapeError for any other number.
   */
  get rate(): number {
    return this.share;
  }

  set rate(rate: number) {
    if (!(rate >= 0 && rate < 1)) {
      throw new ShapeError(
        `${this.constructor.name}: rate must lie in [0, 1), got ${rate}`,
        'rate is the share that is dropped, not the share that is kept',
      );
    }
    this.share = rate;
  }

  override describe(): string {
    return String(this.rate);
  }
}

/** Sets a share `rate` of the values to zero while training and scales the others up. */
export class Dropout extends DroppingModule {
  forward(x: Tensor): Tensor {
    return dropout(x, { rate: this.rate, training: this.isTraining });
  }
}

/**
 * Drops whole examples of a residual branch while training and scales the others up, which trains a
 * network of random depth: x [N …] · mask [N 1 …] / (1 − rate).
 *
 * Source: Huang et al., "Deep Networks with Stochastic Depth", arXiv:1603.09382, section 3.
 */
export class StochasticDepth extends DroppingModule {
  forward(x: Tensor): Tensor {
    const { rate } = this;
    if (!this.isTraining || rate === 0) return x;
    const ones = Tensor.own(x.runtime, fillArray(x.runtime, x.shape.map(firstOnly), 'f32', 1));
    const mask = dropout(ones, { rate, training: true });
    const y = mul(x, mask);
    // The tape keeps what it needs of the mask.
    ones.dispose();
    mask.dispose();
    return y;
  }
}

function firstOnly(length: number, axis: number): number {
  return axis === 0 ? length : 1;
}
