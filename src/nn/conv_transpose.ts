import type { Device } from '../device.js';
import { ShapeError } from '../errors.js';
import { pairOf, type Pair } from '../kernels/lib/window_geometry.js';
import { conv2dTranspose } from '../ops/conv.js';
import type { Tensor } from '../tensor.js';
import type { Conv2dLayerOptions } from './conv.js';
import { constant, glorotUniform } from './init.js';
import { Module, nonDefaults } from './module.js';
import { Parameter } from './parameter.js';

export interface ConvTranspose2dOptions extends Conv2dLayerOptions {
  /** Rows and columns more at the bottom and the right. Default 0. */
  outputPadding?: Pair;
}

const defaults = {
  ...{ stride: 1, padding: 'valid', dilation: 1, groups: 1, bias: true },
  outputPadding: 0,
};

/** Transposed convolution with learned filters: x [N H W C] → [N P Q K], larger by the stride. See ops.conv2dTranspose. */
export class ConvTranspose2d extends Module {
  /** [R S K/groups C] */
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(
    device: Device,
    readonly options: ConvTranspose2dOptions,
  ) {
    super();
    const { inChannels, outChannels, kernelSize, groups = 1 } = options;
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new ShapeError(
        `ConvTranspose2d: groups must divide ${inChannels} input and ${outChannels} output channels, got ${groups}`,
      );
    }
    const [r, s] = pairOf('ConvTranspose2d', 'kernelSize', kernelSize);
    const { weightInit = glorotUniform(), biasInit = constant(0) } = options;
    const taps = (r * s) / groups;
    const fans = { fanIn: taps * inChannels, fanOut: taps * outChannels };
    const shape = [r, s, outChannels / groups, inChannels];
    this.weight = Parameter.from(weightInit(device, shape, fans));
    if (options.bias ?? true) {
      this.bias = Parameter.from(biasInit(device, [outChannels]));
    }
  }

  forward(x: Tensor): Tensor {
    const { stride, padding, dilation, groups, outputPadding, activation } = this.options;
    return conv2dTranspose(x, this.weight, {
      ...{ stride, padding, dilation, groups, outputPadding },
      ...{ bias: this.bias, activation },
    });
  }

  override describe(): string {
    const { inChannels, outChannels, kernelSize, ...rest } = this.options;
    const [r, s] = pairOf('ConvTranspose2d', 'kernelSize', kernelSize);
    const extra = nonDefaults(rest, defaults);
    return `${inChannels} → ${outChannels}, ${r}×${s}${extra ? `, ${extra}` : ''}`;
  }
}
