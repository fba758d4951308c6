import type { Device } from '../device.js';
import { groupNorm, instanceNorm, layerNorm } from '../ops/normalization.js';
import type { Tensor } from '../tensor.js';
import { Module, nonDefaults } from './module.js';
import { DEFAULT_EPSILON } from './normalization.js';
import { Parameter } from './parameter.js';

interface NormOptions {
  /** Default 1e-5. */
  epsilon?: number;
  /** Whether gamma and beta are learned; default true, of InstanceNorm2d false. */
  affine?: boolean;
}

const defaults = { epsilon: DEFAULT_EPSILON, affine: true };

/** gamma of ones and beta of zeros, where they are learned. */
abstract class FactorNorm extends Module {
  readonly gamma: Parameter | undefined;
  readonly beta: Parameter | undefined;

  constructor(device: Device, shape: readonly number[], isAffine: boolean) {
    super();
    if (!isAffine) return;
    this.gamma = Parameter.from(device.ones(shape));
    this.beta = Parameter.from(device.zeros(shape));
  }
}

export interface GroupNormLayerOptions extends NormOptions {
  groups: number;
  channels: number;
}

/** Normalises each image by the statistics of groups of its channels. See ops.groupNorm. */
export class GroupNorm extends FactorNorm {
  constructor(
    device: Device,
    readonly options: GroupNormLayerOptions,
  ) {
    super(device, [options.channels], options.affine ?? true);
  }

  forward(x: Tensor): Tensor {
    const { gamma, beta } = this;
    const { groups, epsilon = DEFAULT_EPSILON } = this.options;
    return groupNorm(x, { groups, epsilon, gamma, beta });
  }

  override describe(): string {
    const { channels, groups, ...rest } = this.options;
    const extra = nonDefaults(rest, defaults);
    return `${channels} in ${groups} groups${extra ? `, ${extra}` : ''}`;
  }
}

export interface InstanceNorm2dOptions extends NormOptions {
  channels: number;
}

/** Normalises each channel of each image by itself; nothing is learned unless `affine`. See ops.instanceNorm. */
export class InstanceNorm2d extends FactorNorm {
  constructor(
    device: Device,
    readonly options: InstanceNorm2dOptions,
  ) {
    super(device, [options.channels], options.affine ?? false);
  }

  forward(x: Tensor): Tensor {
    const { gamma, beta } = this;
    return instanceNorm(x, { epsilon: this.options.epsilon ?? DEFAULT_EPSILON, gamma, beta });
  }

  override describe(): string {
    const { channels, ...rest } = this.options;
    const extra = nonDefaults(rest, { ...defaults, affine: false });
    return `${channels}${extra ? `, ${extra}` : ''}`;
  }
}

export interface LayerNormLayerOptions extends NormOptions {
  /** The last axes of x, which are normalised together: their lengths, or the one length. */
  shape: number | readonly number[];
}

/** Normalises each example over its last axes. See ops.layerNorm. */
export class LayerNorm extends FactorNorm {
  constructor(
    device: Device,
    readonly options: LayerNormLayerOptions,
  ) {
    super(device, axesOf(options), options.affine ?? true);
  }

  forward(x: Tensor): Tensor {
    const { gamma, beta } = this;
    const axis = -axesOf(this.options).length;
    return layerNorm(x, { axis, epsilon: this.options.epsilon ?? DEFAULT_EPSILON, gamma, beta });
  }

  override describe(): string {
    const { epsilon, affine } = this.options;
    const extra = nonDefaults({ epsilon, affine }, defaults);
    return `${axesOf(this.options).join('×')}${extra ? `, ${extra}` : ''}`;
  }
}

function axesOf({ shape }: LayerNormLayerOptions): readonly number[] {
  return typeof shape === 'number' ? [shape] : shape;
}
