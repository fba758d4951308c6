import type { Device } from '../device.js';
import { ShapeError } from '../errors.js';
import { activate, add, mul, type Activation } from '../ops/elementwise.js';
import { globalAvgPool2d } from '../ops/pooling.js';
import { reshape } from '../ops/shape.js';
import type { Tensor } from '../tensor.js';
import { Conv2d } from './conv.js';
import type { Initializer } from './init.js';
import { Module, nonDefaults } from './module.js';

/**
 * branch(x) + x, then an activation: a residual connection.
 *
 * Errors: ShapeError if the two differ in shape; a broadcast sum would hide the mistake.
 *
 * @example
 * const block = new nn.Add(new nn.Dense(device, { inFeatures: 8, outFeatures: 8 }));
 * block.call(device.ones([2, 8])).shape; // [2, 8]
 */
export class Add extends Module {
  /** Maps x to the branch's shape if they differ. */
  readonly shortcut: Module | undefined;

  constructor(
    readonly branch: Module,
    readonly options: { activation?: Activation; shortcut?: Module } = {},
  ) {
    super();
    this.shortcut = options.shortcut;
  }

  forward(x: Tensor): Tensor {
    const y = this.branch.call(x);
    const skipped = this.shortcut ? this.shortcut.call(x) : x;
    if (y.shape.join() !== skipped.shape.join()) {
      throw new ShapeError(
        `Add: the branch gives [${y.shape.join(' ')}] but ${this.shortcut ? 'the shortcut' : 'x'} has [${skipped.shape.join(' ')}]`,
        'bring x to that shape with the option shortcut, a 1×1 Conv2d for one',
      );
    }
    const sum = add(y, skipped);
    return this.options.activation ? activate(sum, this.options.activation) : sum;
  }

  override describe(): string {
    return nonDefaults({ activation: this.options.activation });
  }
}

export interface SqueezeExciteOptions {
  channels: number;
  /** Channels of the hidden layer. */
  reducedChannels: number;
  /** Default 'silu', as in EfficientNet; the paper has 'relu'. */
  activation?: Activation;
  weightInit?: Initializer | undefined;
}

/**
 * Scales each channel by a gate computed from all channels' means: x [N H W C] → the same shape.
 *
 * Source: Hu et al., "Squeeze-and-Excitation Networks", arXiv:1709.01507, section 3.
 */
export class SqueezeExcite extends Module {
  readonly reduce: Conv2d;
  readonly expand: Conv2d;

  constructor(
    device: Device,
    readonly options: SqueezeExciteOptions,
  ) {
    super();
    const { channels, reducedChannels, activation = 'silu', weightInit } = options;
    const common = { kernelSize: 1, weightInit };
    this.reduce = new Conv2d(device, {
      ...{ inChannels: channels, outChannels: reducedChannels, activation, ...common },
    });
    this.expand = new Conv2d(device, {
      ...{ inChannels: reducedChannels, outChannels: channels, activation: 'sigmoid', ...common },
    });
  }

  forward(x: Tensor): Tensor {
    const [n, , , c] = x.shape;
    const means = reshape(globalAvgPool2d(x), [n, 1, 1, c]);
    return mul(x, this.expand.call(this.reduce.call(means)));
  }

  override describe(): string {
    const { channels, reducedChannels, ...rest } = this.options;
    const extra = nonDefaults({ ...rest }, { activation: 'silu' });
    return `${channels} → ${reducedChannels} → ${channels}${extra ? `, ${extra}` : ''}`;
  }
}
