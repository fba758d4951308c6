import type { Device } from '../device.js';
import { UsageError } from '../errors.js';
import {
  convBatchNorm,
  Dense,
  Dropout,
  GlobalAvgPool2d,
  init,
  MaxPool2d,
  Module,
  type BatchNorm2d,
  type Conv2d,
  type Sequential,
} from '../nn/index.js';
import type { Tensor } from '../tensor.js';
import { resolveOptions, type ModelOptions, type Shortcut } from './options.js';
import {
  convolution,
  normRelu,
  residualStages,
  type BlockKind,
  type BlockStyle,
} from './resnet_blocks.js';

export type ResNetDepth = 18 | 34 | 50 | 101 | 152;

/** Residual blocks of the four stages: table 1 of the paper. */
const depths: Readonly<Record<ResNetDepth, { block: BlockKind; stages: readonly number[] }>> = {
  18: { block: 'basic', stages: [2, 2, 2, 2] },
  34: { block: 'basic', stages: [3, 4, 6, 3] },
  50: { block: 'bottleneck', stages: [3, 4, 6, 3] },
  101: { block: 'bottleneck', stages: [3, 4, 23, 3] },
  152: { block: 'bottleneck', stages: [3, 8, 36, 3] },
};

/** Images up to this edge get the small stem by default. */
const SMALL_EDGE = 64;

export interface ResNetStemOptions extends ModelOptions {
  /**
   * 'large': a 7×7 convolution of stride 2 and 3×3 max pooling, as in the paper for 224×224.
   * 'small': a 3×3 convolution of stride 1 and no pooling, as in the paper for 32×32; with the
   * large one such images would be 1×1 before the last stage. Default: 'small' up to 64 pixels.
   * Cheaper than either for their size: 'half', a 3×3 convolution of stride 2, and 'quarter', which
   * has 3×3 max pooling of stride 2 as well.
   */
  stem?: 'large' | 'small' | 'half' | 'quarter';
  /** Where a block changes the shape. Default 'projection'. */
  shortcut?: Shortcut | undefined;
}

export interface ResNetOptions extends ResNetStemOptions {
  /** Layers with weights. Default 50. */
  depth?: ResNetDepth;
}

/** Parameters of any residual network; `resnet` derives them from the depth. */
export interface ResNetArchitecture extends ResNetStemOptions {
  block: BlockKind;
  /** Residual blocks of each stage. */
  stages: readonly number[];
  /** Channels of the first stage's 3×3 convolutions; each later stage has twice as many. Default 64. */
  width?: number;
  /** Share of the features dropped before the dense layer while training. Default 0: no such layer. */
  dropout?: number;
}

/** As in torchvision: no biases, since batch norms have them, and the stride in the 3×3 convolutions. */
const style: BlockStyle = {
  ...{ hasBias: false, strideIn: '3×3', shortcut: 'projection', batchNorm: {} },
  weightInit: init.heNormal({ mode: 'fanOut' }),
};

/**
 * A residual network of any stages. Its state dict has the module names of torchvision's:
 * `conv1.weight`, `layer1.0.conv1.weight`, `layer2.0.downsample.0.weight`, `fc.weight`.
 */
export class ResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly maxpool: MaxPool2d | undefined;
  /** Stages; in names `layer1`, `layer2` and so on. */
  readonly layers: readonly Sequential[];
  readonly avgpool = new GlobalAvgPool2d();
  readonly dropout: Dropout | undefined;
  readonly fc: Dense;

  constructor(
    device: Device,
    readonly options: ResNetArchitecture,
  ) {
    super();
    const {
      height,
      width: imageWidth,
      channels,
      classes,
    } = resolveOptions('resnet', options, {
      ...{ input: [224, 224, 3], classes: 1000 },
    });
    const { stem = Math.max(height, imageWidth) <= SMALL_EDGE ? 'small' : 'large' } = options;
    const { block, stages, width = 64, shortcut = 'projection' } = options;
    const filters = { kernelSize: stem === 'large' ? 7 : 3, stride: stem === 'small' ? 1 : 2 };
    const isPooled = stem === 'large' || stem === 'quarter';
    this.conv1 = convolution(
      device,
      { ...filters, inChannels: channels, outChannels: width },
      style,
    );
    this.bn1 = normRelu(device, width, style);
    this.maxpool = isPooled ? new MaxPool2d({ size: 3, stride: 2, padding: 1 }) : undefined;
    const { layers, outChannels } = residualStages(device, {
      ...{ block, stages, width, inChannels: width, style: { ...style, shortcut } },
    });
    this.layers = layers;
    const { dropout: rate = 0 } = options;
    this.dropout = rate > 0 ? new Dropout({ rate }) : undefined;
    this.fc = new Dense(device, {
      ...{ inFeatures: outChannels, outFeatures: classes },
      weightInit: init.normal({ standardDeviation: 0.01 }),
    });
  }

  override *children(): Generator<[string, Module]> {
    yield ['conv1', this.conv1];
    yield ['bn1', this.bn1];
    if (this.maxpool) yield ['maxpool', this.maxpool];
    for (const [i, layer] of this.layers.entries()) yield [`layer${i + 1}`, layer];
    yield ['avgpool', this.avgpool];
    if (this.dropout) yield ['dropout', this.dropout];
    yield ['fc', this.fc];
  }

  forward(x: Tensor): Tensor {
    const stem = convBatchNorm(this.conv1, this.bn1, x);
    const pooled = this.maxpool ? this.maxpool.call(stem) : stem;
    const features = this.layers.reduce((value, layer) => layer.call(value), pooled);
    const means = this.avgpool.call(features);
    return this.fc.call(this.dropout ? this.dropout.call(means) : means);
  }
}

/**
 * Deep residual network: a stem, four stages of residual blocks that halve the image and double the
 * channels, the mean over the image, and one dense layer. Convolutions start He-normal (fan out),
 * the dense layer normal 0.01. By default for 224×224×3 and 1000 classes; parameters then:
 * 18: 11,689,512 · 34: 21,797,672 · 50: 25,557,032 · 101: 44,549,160 · 152: 60,192,808.
 *
 * **Errors** UsageError for another depth, ShapeError for an impossible input.
 * **Source** He et al., "Deep Residual Learning for Image Recognition", arXiv:1512.03385, table 1;
 * the start of the dense layer: Goyal et al., arXiv:1706.02677, section 5.1.
 *
 * @example
 * const model = models.resnet(device, { depth: 18, input: [32, 32, 3], classes: 10 });
 * model.call(device.zeros([1, 32, 32, 3])).shape; // [1, 10]
 */
export function resnet(device: Device, { depth = 50, ...rest }: ResNetOptions = {}): ResNet {
  const known = depths[depth] as (typeof depths)[ResNetDepth] | undefined;
  if (known) return new ResNet(device, { ...rest, ...known });
  throw new UsageError(
    `resnet: expected depth ${Object.keys(depths).join(', ')}, got ${String(depth)}`,
  );
}

/** resnet of depth 18. */
export function resnet18(device: Device, options: ResNetStemOptions = {}): ResNet {
  return resnet(device, { ...options, depth: 18 });
}

/** resnet of depth 34. */
export function resnet34(device: Device, options: ResNetStemOptions = {}): ResNet {
  return resnet(device, { ...options, depth: 34 });
}

/** resnet of depth 50. */
export function resnet50(device: Device, options: ResNetStemOptions = {}): ResNet {
  return resnet(device, { ...options, depth: 50 });
}

/** resnet of depth 101. */
export function resnet101(device: Device, options: ResNetStemOptions = {}): ResNet {
  return resnet(device, { ...options, depth: 101 });
}

/** resnet of depth 152. */
export function resnet152(device: Device, options: ResNetStemOptions = {}): ResNet {
  return resnet(device, { ...options, depth: 152 });
}

export interface CifarResNetOptions extends ModelOptions {
  /** Where a block changes the shape. Default 'pad'. */
  shortcut?: Shortcut | undefined;
}

/**
 * The residual network of 6n + 2 layers for small images: a 3×3 convolution of 16 filters, three
 * stages of n basic blocks with 16, 32 and 64 channels, by default shortcuts without parameters, the
 * mean over the image and a dense layer. By default for 32×32×3 and 10 classes; parameters then:
 * 20: 269,722 · 32: 464,154 · 44: 658,586 · 56: 853,018.
 *
 * Source: He et al., arXiv:1512.03385, section 4.2.
 */
function cifarResnet(
  device: Device,
  depth: 20 | 32 | 44 | 56,
  options: CifarResNetOptions,
): ResNet {
  const blocks = (depth - 2) / 6;
  return new ResNet(device, {
    ...{ input: [32, 32, 3], classes: 10, ...options },
    ...{ block: 'basic', stages: [blocks, blocks, blocks], width: 16 },
    stem: 'small',
    shortcut: options.shortcut ?? 'pad',
  });
}

/** The paper's network of 20 layers for CIFAR, with shortcuts that pad: see docs/models.md. */
export function cifarResnet20(device: Device, options: CifarResNetOptions = {}): ResNet {
  return cifarResnet(device, 20, options);
}

/** The paper's network of 32 layers for CIFAR, with shortcuts that pad: see docs/models.md. */
export function cifarResnet32(device: Device, options: CifarResNetOptions = {}): ResNet {
  return cifarResnet(device, 32, options);
}

/** The paper's network of 44 layers for CIFAR, with shortcuts that pad: see docs/models.md. */
export function cifarResnet44(device: Device, options: CifarResNetOptions = {}): ResNet {
  return cifarResnet(device, 44, options);
}

/** The paper's network of 56 layers for CIFAR, with shortcuts that pad: see docs/models.md. */
export function cifarResnet56(device: Device, options: CifarResNetOptions = {}): ResNet {
  return cifarResnet(device, 56, options);
}
