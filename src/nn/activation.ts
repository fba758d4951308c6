import { relu, silu } from '../ops/elementwise.js';
import { softmax } from '../ops/loss.js';
import type { Tensor } from '../tensor.js';
import { Module, nonDefaults } from './module.js';

/** max(x, 0). As the last step of a layer, its option `activation: 'relu'` saves a pass. */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** x · sigmoid(x). */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return silu(x);
  }
}

/** Softmax along an axis, the last by default. */
export class Softmax extends Module {
  constructor(readonly options: { axis?: number } = {}) {
    super();
  }

  forward(x: Tensor): Tensor {
    return softmax(x, this.options);
  }

  override describe(): string {
    return nonDefaults(this.options, { axis: -1 });
  }
}
