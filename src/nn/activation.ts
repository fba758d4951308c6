import {
  elu,
  gelu,
  hardSwish,
  leakyRelu,
  relu,
  relu6,
  sigmoid,
  silu,
  softplus,
  tanh,
} from '../ops/elementwise.js';
import { logSoftmax, softmax } from '../ops/loss.js';
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

/** min(max(x, 0), 6). See ops.relu6. */
export class ReLU6 extends Module {
  forward(x: Tensor): Tensor {
    return relu6(x);
  }
}

/** 1 / (1 + exp(−x)). See ops.sigmoid. */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/** x · min(max(x + 3, 0), 6) / 6. See ops.hardSwish. */
export class HardSwish extends Module {
  forward(x: Tensor): Tensor {
    return hardSwish(x);
  }
}

/** tanh(x). See ops.tanh. */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/** log(1 + exp(x)). See ops.softplus. */
export class Softplus extends Module {
  forward(x: Tensor): Tensor {
    return softplus(x);
  }
}

/** x where it is positive, else alpha · x; alpha is 0.01 by default. See ops.leakyRelu. */
export class LeakyReLU extends Module {
  constructor(readonly options: { alpha?: number } = {}) {
    super();
  }

  forward(x: Tensor): Tensor {
    return leakyRelu(x, this.options);
  }

  override describe(): string {
    return nonDefaults(this.options, { alpha: 0.01 });
  }
}

/** x where it is positive, else alpha · (exp(x) − 1); alpha is 1 by default. See ops.elu. */
export class ELU extends Module {
  constructor(readonly options: { alpha?: number } = {}) {
    super();
  }

  forward(x: Tensor): Tensor {
    return elu(x, this.options);
  }

  override describe(): string {
    return nonDefaults(this.options, { alpha: 1 });
  }
}

/** x · Φ(x), Φ the share of a standard normal below x; or its approximation by tanh. See ops.gelu. */
export class GELU extends Module {
  constructor(readonly options: { approximate?: 'none' | 'tanh' } = {}) {
    super();
  }

  forward(x: Tensor): Tensor {
    return gelu(x, this.options);
  }

  override describe(): string {
    return nonDefaults(this.options, { approximate: 'none' });
  }
}

/** The logarithm of softmax along an axis, the last by default. See ops.logSoftmax. */
export class LogSoftmax extends Module {
  constructor(readonly options: { axis?: number } = {}) {
    super();
  }

  forward(x: Tensor): Tensor {
    return logSoftmax(x, this.options);
  }

  override describe(): string {
    return nonDefaults(this.options, { axis: -1 });
  }
}
