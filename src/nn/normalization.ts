import type { Device } from '../device.js';
import type { Activation } from '../ops/elementwise.js';
import { batchNorm } from '../ops/normalization.js';
import type { Tensor } from '../tensor.js';
import { Module, nonDefaults } from './module.js';
import { Buffer, Parameter } from './parameter.js';

/** Added to the variance by default. */
export const DEFAULT_EPSILON = 1e-5;

export interface BatchNorm2dOptions {
  channels: number;
  /** Share of the new batch in the running statistics. Default 0.1. */
  momentum?: number;
  /** Default 1e-5. */
  epsilon?: number;
  /** Whether each channel is multiplied by a trained gamma. Default true. */
  scale?: boolean;
  /** Whether a trained beta is added to each channel. Default true. */
  center?: boolean;
  activation?: Activation;
}

/**
 * Batch normalisation over all but the last axis: the batch's statistics while training, the
 * running ones afterwards. See ops.batchNorm.
 */
export class BatchNorm2d extends Module {
  readonly gamma: Parameter | undefined;
  readonly beta: Parameter | undefined;
  readonly runningMean: Buffer;
  readonly runningVariance: Buffer;

  constructor(
    device: Device,
    readonly options: BatchNorm2dOptions,
  ) {
    super();
    const shape = [options.channels];
    const { scale = true, center = true } = options;
    this.gamma = scale ? Parameter.from(device.ones(shape)) : undefined;
    this.beta = center ? Parameter.from(device.zeros(shape)) : undefined;
    this.runningMean = Buffer.from(device.zeros(shape));
    this.runningVariance = Buffer.from(device.ones(shape));
  }

  /** `residual`, of x's shape, is added before the activation. */
  forward(x: Tensor, residual?: Tensor): Tensor {
    const { gamma, beta, runningMean, runningVariance } = this;
    const { momentum, epsilon = DEFAULT_EPSILON, activation } = this.options;
    return batchNorm(x, {
      ...{ gamma, beta, runningMean, runningVariance, training: this.isTraining },
      ...{ momentum, epsilon, activation, residual },
    });
  }

  override describe(): string {
    const { channels, ...rest } = this.options;
    const extra = nonDefaults(rest, {
      ...{ momentum: 0.1, epsilon: DEFAULT_EPSILON, scale: true, center: true },
    });
    return `${channels}${extra ? `, ${extra}` : ''}`;
  }
}
