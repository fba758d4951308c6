import type { Device } from '../device.js';
import { pairOf, type Padding, type Pair } from '../kernels/lib/window_geometry.js';
import { conv2d, depthwiseConv2d } from '../ops/conv.js';
import type { Activation } from '../ops/elementwise.js';
import type { Tensor } from '../tensor.js';
import { constant, glorotUniform, type Initializer } from './init.js';
import { Module, nonDefaults } from './module.js';
import { Parameter } from './parameter.js';

interface WindowOptions {
  kernelSize: Pair;
  /** Default 1. */
  stride?: Pair;
  /** Default 'valid'. */
  padding?: Padding;
  /** Default 1. */
  dilation?: Pair;
  /** Default true. */
  bias?: boolean;
  activation?: Activation;
  /** Default glorotUniform. */
  weightInit?: Initializer | undefined;
  /** Default zeros. */
  biasInit?: Initializer | undefined;
}

export interface Conv2dLayerOptions extends WindowOptions {
  inChannels: number;
  outChannels: number;
  /** Default 1. */
  groups?: number;
}

/** Bias, residual and activation of a convolution. */
export interface ConvEpilogue {
  bias?: Tensor | undefined;
  residual?: Tensor | undefined;
  activation?: Activation | undefined;
}

const defaults = { stride: 1, padding: 'valid', dilation: 1, groups: 1, bias: true };

/** Convolution with learned filters: x [N H W C] → [N P Q K]. See ops.conv2d. */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(
    device: Device,
    readonly options: Conv2dLayerOptions,
  ) {
    super();
    const { inChannels, outChannels, kernelSize, groups = 1 } = options;
    const [r, s] = pairOf('Conv2d', 'kernelSize', kernelSize);
    const { weightInit = glorotUniform(), biasInit = constant(0) } = options;
    const shape = [r, s, inChannels / groups, outChannels];
    this.weight = Parameter.from(weightInit(device, shape));
    if (options.bias ?? true) {
      this.bias = Parameter.from(biasInit(device, [outChannels]));
    }
  }

  get outChannels(): number {
    return this.options.outChannels;
  }

  forward(x: Tensor): Tensor {
    const { bias, options } = this;
    return this.convolve(x, this.weight, { bias, activation: options.activation });
  }

  /** The convolution of this layer with another filter and epilogue. */
  convolve(x: Tensor, weight: Tensor, epilogue: ConvEpilogue): Tensor {
    const { stride, padding, dilation, groups } = this.options;
    return conv2d(x, weight, { ...{ stride, padding, dilation, groups }, ...epilogue });
  }

  override describe(): string {
    const { inChannels, outChannels, kernelSize, ...rest } = this.options;
    const [r, s] = pairOf('Conv2d', 'kernelSize', kernelSize);
    const extra = nonDefaults(rest, defaults);
    return `${inChannels} → ${outChannels}, ${r}×${s}${extra ? `, ${extra}` : ''}`;
  }
}

export interface DepthwiseConv2dLayerOptions extends WindowOptions {
  inChannels: number;
  /** Output channels per input channel. Default 1. */
  multiplier?: number;
}

/** Convolution of each channel on its own: x [N H W C] → [N P Q C·M]. See ops.depthwiseConv2d. */
export class DepthwiseConv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(
    device: Device,
    readonly options: DepthwiseConv2dLayerOptions,
  ) {
    super();
    const { inChannels, kernelSize, multiplier = 1 } = options;
    const [r, s] = pairOf('DepthwiseConv2d', 'kernelSize', kernelSize);
    const { weightInit = glorotUniform(), biasInit = constant(0) } = options;
    const fans = { fanIn: r * s, fanOut: r * s * multiplier };
    const weight = weightInit(device, [r, s, inChannels, multiplier], fans);
    this.weight = Parameter.from(weight);
    if (options.bias ?? true) {
      this.bias = Parameter.from(biasInit(device, [inChannels * multiplier]));
    }
  }

  get outChannels(): number {
    const { inChannels, multiplier = 1 } = this.options;
    return inChannels * multiplier;
  }

  forward(x: Tensor): Tensor {
    const { bias, options } = this;
    return this.convolve(x, this.weight, { bias, activation: options.activation });
  }

  /** The convolution of this layer with another filter and epilogue. */
  convolve(x: Tensor, weight: Tensor, epilogue: ConvEpilogue): Tensor {
    const { stride, padding, dilation } = this.options;
    return depthwiseConv2d(x, weight, { ...{ stride, padding, dilation }, ...epilogue });
  }

  override describe(): string {
    const { inChannels, kernelSize, ...rest } = this.options;
    const [r, s] = pairOf('DepthwiseConv2d', 'kernelSize', kernelSize);
    const extra = nonDefaults(rest, { ...defaults, multiplier: 1 });
    return `${inChannels}, ${r}×${s}${extra ? `, ${extra}` : ''}`;
  }
}
