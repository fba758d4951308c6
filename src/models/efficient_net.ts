import type { Device } from '../device.js';
import {
  BatchNorm2d,
  Conv2d,
  convBatchNorm,
  Dense,
  DepthwiseConv2d,
  Dropout,
  foldsBatchNorm,
  GlobalAvgPool2d,
  init,
  Module,
  SqueezeExcite,
  StochasticDepth,
} from '../nn/index.js';
import { add } from '../ops/elementwise.js';
import type { Tensor } from '../tensor.js';
import { kerasBatchNorm, resolveOptions, type ModelOptions } from './options.js';

/** A row of the paper's table 1. */
export interface MbConvStage {
  /** Factor of the channels inside a block. */
  expansion: number;
  kernelSize: number;
  /** Stride of the first block; the others have 1. */
  stride: number;
  outChannels: number;
  blocks: number;
}

/** Stages of B0: rows 2 to 8. */
const stagesOfB0: readonly MbConvStage[] = [
  { expansion: 1, kernelSize: 3, stride: 1, outChannels: 16, blocks: 1 },
  { expansion: 6, kernelSize: 3, stride: 2, outChannels: 24, blocks: 2 },
  { expansion: 6, kernelSize: 5, stride: 2, outChannels: 40, blocks: 2 },
  { expansion: 6, kernelSize: 3, stride: 2, outChannels: 80, blocks: 3 },
  { expansion: 6, kernelSize: 5, stride: 1, outChannels: 112, blocks: 3 },
  { expansion: 6, kernelSize: 5, stride: 2, outChannels: 192, blocks: 4 },
  { expansion: 6, kernelSize: 3, stride: 1, outChannels: 320, blocks: 1 },
];

/** Squeeze-and-excitation narrows to this share of the block's input channels. */
const SQUEEZE_SHARE = 0.25;
/** Images up to this edge keep their size in the stem by default. */
const SMALL_EDGE = 64;

const weightInit = init.heNormal({ mode: 'fanOut' });

export interface EfficientNetOptions extends ModelOptions {
  /** Share of the last features dropped while training. Default 0.2. */
  dropout?: number;
  /** Share of the last block's examples dropped while training; falls evenly to 0 at the first. Default 0.2. */
  stochasticDepth?: number;
  /** Stride of the first convolution: 2 in the paper. Default 1 for images up to 64 pixels, else 2. */
  stemStride?: 1 | 2;
}

/** Parameters of a network of this kind; `efficientNetB0` is one. */
export interface EfficientNetArchitecture extends EfficientNetOptions {
  stages: readonly MbConvStage[];
  /** Channels after the first convolution. Default 32. */
  stemChannels?: number;
  /** Channels after the last. Default 1280. */
  headChannels?: number;
}

interface ConvNormOptions {
  inChannels: number;
  outChannels: number;
  kernelSize?: number;
  stride?: number;
  isLinear?: boolean;
}

/** 'same' convolution, batch norm and, unless linear, SiLU. */
class ConvNorm extends Module {
  readonly conv: Conv2d;
  readonly norm: BatchNorm2d;

  constructor(device: Device, options: ConvNormOptions) {
    super();
    const { inChannels, outChannels, kernelSize = 1, stride = 1, isLinear = false } = options;
    this.conv = new Conv2d(device, {
      ...{ inChannels, outChannels, kernelSize, stride, padding: 'same', bias: false, weightInit },
    });
    this.norm = new BatchNorm2d(device, {
      ...{ channels: outChannels, ...kerasBatchNorm },
      ...(isLinear ? {} : { activation: 'silu' }),
    });
  }

  forward(x: Tensor, residual?: Tensor): Tensor {
    return convBatchNorm(this.conv, this.norm, x, residual && (() => residual));
  }

  /** Whether a residual is fused. */
  foldsResidual(x: Tensor): boolean {
    return foldsBatchNorm(this.conv, this.norm, x);
  }
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
  readonly expand: ConvNorm | undefined;
  readonly depthwise: DepthwiseConv2d;
  readonly norm: BatchNorm2d;
  readonly excite: SqueezeExcite;
  readonly project: ConvNorm;
  readonly drop: StochasticDepth | undefined;

  constructor(device: Device, options: MbConvOptions) {
    super();
    const { inChannels, outChannels, expansion, kernelSize, stride, dropRate } = options;
    const channels = inChannels * expansion;
    if (expansion > 1) this.expand = new ConvNorm(device, { inChannels, outChannels: channels });
    this.depthwise = new DepthwiseConv2d(device, {
      ...{ inChannels: channels, kernelSize, stride, padding: 'same', bias: false, weightInit },
    });
    this.norm = new BatchNorm2d(device, { channels, activation: 'silu', ...kerasBatchNorm });
    const reducedChannels = Math.max(1, Math.floor(inChannels * SQUEEZE_SHARE));
    this.excite = new SqueezeExcite(device, { channels, reducedChannels, weightInit });
    this.project = new ConvNorm(device, { inChannels: channels, outChannels, isLinear: true });
    if (stride === 1 && inChannels === outChannels) {
      this.drop = new StochasticDepth({ rate: dropRate });
    }
  }

  forward(x: Tensor): Tensor {
    const wide = this.expand ? this.expand.call(x) : x;
    const inner = this.excite.call(convBatchNorm(this.depthwise, this.norm, wide));
    // In evaluation nothing is dropped in between.
    if (this.drop?.isTraining === false && this.project.foldsResidual(inner)) {
      return this.project.call(inner, x);
    }
    const y = this.project.call(inner);
    return this.drop ? add(this.drop.call(y), x) : y;
  }
}

/**
 * A network of inverted bottlenecks of any stages. In its state dict a block has the name that Keras
 * gives it, stage and letter: `stem.conv.weight`, `block2a.expand.norm.gamma`,
 * `block2a.excite.reduce.bias`, `head.conv.weight`, `classifier.weight`.
 */
export class EfficientNet extends Module {
  readonly stem: ConvNorm;
  /** By name, from `block1a` on. */
  readonly blocks: ReadonlyMap<string, MbConv>;
  readonly head: ConvNorm;
  readonly pool = new GlobalAvgPool2d();
  readonly dropout: Dropout;
  readonly classifier: Dense;

  constructor(
    device: Device,
    readonly options: EfficientNetArchitecture,
  ) {
    super();
    const { height, width, channels, classes } = resolveOptions('efficientNet', options, {
      ...{ input: [224, 224, 3], classes: 100 },
    });
    const { stages, stemChannels = 32, headChannels = 1280, dropout = 0.2 } = options;
    const { stochasticDepth = 0.2 } = options;
    const { stemStride: stride = Math.max(height, width) <= SMALL_EDGE ? 1 : 2 } = options;
    const filters = { inChannels: channels, outChannels: stemChannels, kernelSize: 3, stride };
    this.stem = new ConvNorm(device, filters);
    const count = stages.reduce((sum, { blocks }) => sum + blocks, 0);
    const blocks = new Map<string, MbConv>();
    let inChannels = stemChannels;
    for (const [stage, { blocks: repeats, stride: first, ...rest }] of stages.entries()) {
      for (let i = 0; i < repeats; i++) {
        const dropRate = (stochasticDepth * blocks.size) / count;
        const block = { ...rest, inChannels, stride: i === 0 ? first : 1, dropRate };
        blocks.set(`block${stage + 1}${String.fromCharCode(97 + i)}`, new MbConv(device, block));
        inChannels = rest.outChannels;
      }
    }
    this.blocks = blocks;
    this.head = new ConvNorm(device, { inChannels, outChannels: headChannels });
    this.dropout = new Dropout({ rate: dropout });
    this.classifier = new Dense(device, { inFeatures: headChannels, outFeatures: classes });
  }

  override *children(): Generator<[string, Module]> {
    yield ['stem', this.stem];
    yield* this.blocks;
    yield ['head', this.head];
    yield ['pool', this.pool];
    yield ['dropout', this.dropout];
    yield ['classifier', this.classifier];
  }

  forward(x: Tensor): Tensor {
    const blocks = [...this.blocks.values()];
    const features = blocks.reduce((value, block) => block.call(value), this.stem.call(x));
    const means = this.pool.call(this.head.call(features));
    return this.classifier.call(this.dropout.call(means));
  }
}

/**
 * EfficientNet-B0: a stem, sixteen inverted bottlenecks with squeeze-and-excitation and SiLU, and a
 * dense layer on the mean over the image. By default for 224×224×3 and 100 classes: 4,177,664
 * parameters, of them 42,016 running statistics. Batch norm and paddings are those of Keras, whose
 * padding before a stride of 2 (none before an even edge and one or two pixels after, the same on
 * both sides of an odd one) is just what 'same' gives. Images may be of any size.
 *
 * **Errors** ShapeError for an impossible input.
 * **Source** Tan & Le, "EfficientNet", arXiv:1905.11946, table 1; stochastic depth: arXiv:1603.09382.
 *
 * @example
 * const model = models.efficientNetB0(device, { input: [32, 32, 3], classes: 100 });
 * model.call(device.zeros([1, 32, 32, 3])).shape; // [1, 100]
 */
export function efficientNetB0(device: Device, options: EfficientNetOptions = {}): EfficientNet {
  return new EfficientNet(device, { ...options, stages: stagesOfB0 });
}
