import type { Device } from '../device.js';
import {
  BatchNorm2d,
  Conv2d,
  Dense,
  DepthwiseConv2d,
  Dropout,
  GlobalAvgPool2d,
  init,
  Module,
  Sequential,
  SqueezeExcite,
  StochasticDepth,
} from '../nn/index.js';
import { add } from '../ops/elementwise.js';
import type { Tensor } from '../tensor.js';
import { resolveOptions, type ModelOptions } from './options.js';

/** Stages of B0: the paper's table 1, rows 2 to 8. */
const stages = [
  { expansion: 1, kernelSize: 3, stride: 1, outChannels: 16, blocks: 1 },
  { expansion: 6, kernelSize: 3, stride: 2, outChannels: 24, blocks: 2 },
  { expansion: 6, kernelSize: 5, stride: 2, outChannels: 40, blocks: 2 },
  { expansion: 6, kernelSize: 3, stride: 2, outChannels: 80, blocks: 3 },
  { expansion: 6, kernelSize: 5, stride: 1, outChannels: 112, blocks: 3 },
  { expansion: 6, kernelSize: 5, stride: 2, outChannels: 192, blocks: 4 },
  { expansion: 6, kernelSize: 3, stride: 1, outChannels: 320, blocks: 1 },
] as const;

const STEM_CHANNELS = 32;
const HEAD_CHANNELS = 1280;
/** Squeeze-and-excitation narrows to this share of the block's input channels. */
const SQUEEZE_SHARE = 0.25;
/** Images up to this edge keep their size in the stem by default. */
const SMALL_EDGE = 64;

/** Of the authors' code: the share of a new batch, and epsilon. */
const batchNormDefaults = { momentum: 0.01, epsilon: 1e-3 };
const weightInit = init.heNormal({ mode: 'fanOut' });

export interface EfficientNetOptions extends ModelOptions {
  /** Share of the last features dropped while training. Default 0.2. */
  dropout?: number;
  /** Share of the last block's examples dropped while training; falls evenly to 0 at the first. Default 0.2. */
  stochasticDepth?: number;
  /** Stride of the first convolution: 2 in the paper. Default 1 for images up to 64 pixels, else 2. */
  stemStride?: 1 | 2;
}

interface MbConvOptions {
  inChannels: number;
  outChannels: number;
  expansion: number;
  kernelSize: number;
  stride: number;
  dropRate: number;
}

/**
 * Inverted bottleneck: a 1×1 convolution up to `expansion` times the channels, a depthwise one,
 * squeeze-and-excitation, and a 1×1 convolution down with no activation; x is added where the
 * shapes agree. Source: Sandler et al., arXiv:1801.04381, section 3.3; Tan & Le, section 4.
 */
export class MbConv extends Module {
  readonly expand: Sequential | undefined;
  readonly depthwise: DepthwiseConv2d;
  readonly norm: BatchNorm2d;
  readonly excite: SqueezeExcite;
  readonly project: Sequential;
  readonly drop: StochasticDepth | undefined;

  constructor(device: Device, options: MbConvOptions) {
    super();
    const { inChannels, outChannels, expansion, kernelSize, stride, dropRate } = options;
    const channels = inChannels * expansion;
    if (expansion > 1) this.expand = convNorm(device, { inChannels, outChannels: channels });
    this.depthwise = new DepthwiseConv2d(device, {
      ...{ inChannels: channels, kernelSize, stride, padding: 'same', bias: false, weightInit },
    });
    this.norm = new BatchNorm2d(device, { channels, activation: 'silu', ...batchNormDefaults });
    const reducedChannels = Math.max(1, Math.floor(inChannels * SQUEEZE_SHARE));
    this.excite = new SqueezeExcite(device, { channels, reducedChannels, weightInit });
    this.project = convNorm(device, { inChannels: channels, outChannels, isLinear: true });
    if (stride === 1 && inChannels === outChannels) {
      this.drop = new StochasticDepth({ rate: dropRate });
    }
  }

  forward(x: Tensor): Tensor {
    const wide = this.expand ? this.expand.call(x) : x;
    const inner = this.excite.call(this.norm.call(this.depthwise.call(wide)));
    const y = this.project.call(inner);
    return this.drop ? add(this.drop.call(y), x) : y;
  }
}

interface ConvNormOptions {
  inChannels: number;
  outChannels: number;
  kernelSize?: number;
  stride?: number;
  isLinear?: boolean;
}

/** 'same' convolution, batch norm, SiLU. */
function convNorm(device: Device, options: ConvNormOptions): Sequential {
  const { inChannels, outChannels, kernelSize = 1, stride = 1, isLinear = false } = options;
  return new Sequential(
    new Conv2d(device, {
      ...{ inChannels, outChannels, kernelSize, stride, padding: 'same', bias: false, weightInit },
    }),
    new BatchNorm2d(device, {
      ...{ channels: outChannels, ...batchNormDefaults },
      ...(isLinear ? {} : { activation: 'silu' }),
    }),
  );
}

/**
 * EfficientNet-B0: a stem, sixteen inverted bottlenecks with squeeze-and-excitation and SiLU, and a
 * dense layer on the mean over the image. By default for 224×224×3 and 1000 classes: 5,288,548
 * parameters. Paddings are 'same', batch norm as in the authors' code.
 *
 * **Errors** ShapeError for an impossible input.
 * **Source** Tan & Le, "EfficientNet", arXiv:1905.11946, table 1; stochastic depth: arXiv:1603.09382.
 *
 * @example
 * const model = models.efficientNetB0(device, { input: [32, 32, 3], classes: 100 });
 * model.call(device.zeros([1, 32, 32, 3])).shape; // [1, 100]
 */
export function efficientNetB0(device: Device, options: EfficientNetOptions = {}): Sequential {
  const { height, width, channels, classes } = resolveOptions('efficientNetB0', options, {
    ...{ input: [224, 224, 3], classes: 1000 },
  });
  const { dropout = 0.2, stochasticDepth = 0.2 } = options;
  const { stemStride = Math.max(height, width) <= SMALL_EDGE ? 1 : 2 } = options;
  const stem = { inChannels: channels, outChannels: STEM_CHANNELS };
  const layers: Module[] = [convNorm(device, { ...stem, kernelSize: 3, stride: stemStride })];
  const count = stages.reduce((sum, { blocks }) => sum + blocks, 0);
  let inChannels = STEM_CHANNELS;
  let index = 0;
  for (const { blocks, stride, ...stage } of stages) {
    for (let i = 0; i < blocks; i++) {
      const dropRate = (stochasticDepth * index++) / count;
      const block = { ...stage, inChannels, stride: i === 0 ? stride : 1, dropRate };
      layers.push(new MbConv(device, block));
      inChannels = stage.outChannels;
    }
  }
  return new Sequential(
    ...layers,
    convNorm(device, { inChannels, outChannels: HEAD_CHANNELS }),
    new GlobalAvgPool2d(),
    new Dropout({ rate: dropout }),
    new Dense(device, {
      ...{ inFeatures: HEAD_CHANNELS, outFeatures: classes },
      weightInit: init.normal({ standardDeviation: 0.01 }),
    }),
  );
}
