import type { Device } from '../device.js';
import { ShapeError, UsageError } from '../gpu/errors.js';
import {
  BatchNorm2d,
  Conv2d,
  Dense,
  GlobalAvgPool2d,
  init,
  MaxPool2d,
  Module,
  Sequential,
} from '../nn/index.js';
import type { Tensor } from '../tensor.js';
import { resolveOptions, type ModelOptions } from './options.js';

export type ResNetDepth = 18 | 34 | 50 | 101 | 152;
type BlockKind = 'basic' | 'bottleneck';

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
   */
  stem?: 'large' | 'small';
}

export interface ResNetOptions extends ResNetStemOptions {
  /** Layers with weights. Default 50. */
  depth?: ResNetDepth;
}

/** What makes up any residual network; `resnet` takes it from the depth. */
export interface ResNetArchitecture extends ResNetStemOptions {
  block: BlockKind;
  /** Residual blocks of each stage. */
  stages: readonly number[];
  /** Channels of the first stage's 3×3 convolutions; each later stage has twice as many. Default 64. */
  width?: number;
}

interface BlockOptions {
  inChannels: number;
  /** Channels of the 3×3 convolutions. */
  width: number;
  stride: number;
}

const weightInit = init.heNormal({ mode: 'fanOut' });

/** x → activation(bn(conv…(x)) + shortcut(x)), the sum inside the last batch norm's pass. */
abstract class ResidualBlock extends Module {
  /** Brings x to the block's shape: a 1×1 convolution with batch norm, where that differs. */
  abstract readonly downsample: Sequential | undefined;

  protected shortcut(x: Tensor): Tensor {
    return this.downsample ? this.downsample.call(x) : x;
  }
}

/** Two 3×3 convolutions: the paper's figure 5, left. */
class BasicBlock extends ResidualBlock {
  static readonly expansion = 1;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Sequential | undefined;

  constructor(device: Device, { inChannels, width, stride }: BlockOptions) {
    super();
    this.conv1 = convolution(device, 3, inChannels, width, stride);
    this.bn1 = new BatchNorm2d(device, { channels: width, activation: 'relu' });
    this.conv2 = convolution(device, 3, width, width);
    this.bn2 = new BatchNorm2d(device, { channels: width, activation: 'relu' });
    this.downsample = downsampling(device, inChannels, width, stride);
  }

  forward(x: Tensor): Tensor {
    const inner = this.bn1.call(this.conv1.call(x));
    return this.bn2.call(this.conv2.call(inner), this.shortcut(x));
  }
}

/**
 * A 1×1 convolution down to fewer channels, a 3×3 one, and a 1×1 one up to four times as many: the
 * paper's figure 5, right. The stride is in the 3×3 convolution, which sees every pixel, and not in
 * the first 1×1 (known as ResNet v1.5).
 */
class Bottleneck extends ResidualBlock {
  static readonly expansion = 4;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly downsample: Sequential | undefined;

  constructor(device: Device, { inChannels, width, stride }: BlockOptions) {
    super();
    const outChannels = width * Bottleneck.expansion;
    this.conv1 = convolution(device, 1, inChannels, width);
    this.bn1 = new BatchNorm2d(device, { channels: width, activation: 'relu' });
    this.conv2 = convolution(device, 3, width, width, stride);
    this.bn2 = new BatchNorm2d(device, { channels: width, activation: 'relu' });
    this.conv3 = convolution(device, 1, width, outChannels);
    this.bn3 = new BatchNorm2d(device, { channels: outChannels, activation: 'relu' });
    this.downsample = downsampling(device, inChannels, outChannels, stride);
  }

  forward(x: Tensor): Tensor {
    const narrow = this.bn1.call(this.conv1.call(x));
    const inner = this.bn2.call(this.conv2.call(narrow));
    return this.bn3.call(this.conv3.call(inner), this.shortcut(x));
  }
}

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
  readonly fc: Dense;

  constructor(device: Device, architecture: ResNetArchitecture) {
    super();
    const { height, width, channels, classes } = resolveOptions('resnet', architecture, {
      ...{ input: [224, 224, 3], classes: 1000 },
    });
    const { stem = Math.max(height, width) <= SMALL_EDGE ? 'small' : 'large' } = architecture;
    const { block, stages, width: firstWidth = 64 } = architecture;
    if (stages.length === 0 || !stages.every((count) => Number.isInteger(count) && count > 0)) {
      throw new ShapeError(
        `resnet: stages must be numbers of blocks from 1 on, got [${stages.join(', ')}]`,
      );
    }
    const isLarge = stem === 'large';
    this.conv1 = convolution(device, isLarge ? 7 : 3, channels, firstWidth, isLarge ? 2 : 1);
    this.bn1 = new BatchNorm2d(device, { channels: firstWidth, activation: 'relu' });
    this.maxpool = isLarge ? new MaxPool2d({ size: 3, stride: 2, padding: 1 }) : undefined;
    const Block = block === 'basic' ? BasicBlock : Bottleneck;
    let inChannels = firstWidth;
    this.layers = stages.map((count, stage) => {
      const blocks = Array.from({ length: count }, (_, i) => {
        const stride = stage > 0 && i === 0 ? 2 : 1;
        const made = new Block(device, { inChannels, width: firstWidth * 2 ** stage, stride });
        inChannels = firstWidth * 2 ** stage * Block.expansion;
        return made;
      });
      return new Sequential(...blocks);
    });
    this.fc = new Dense(device, {
      ...{ inFeatures: inChannels, outFeatures: classes },
      weightInit: init.normal({ standardDeviation: 0.01 }),
    });
  }

  override *children(): Generator<[string, Module]> {
    yield ['conv1', this.conv1];
    yield ['bn1', this.bn1];
    if (this.maxpool) yield ['maxpool', this.maxpool];
    for (const [i, layer] of this.layers.entries()) yield [`layer${i + 1}`, layer];
    yield ['avgpool', this.avgpool];
    yield ['fc', this.fc];
  }

  forward(x: Tensor): Tensor {
    const stem = this.bn1.call(this.conv1.call(x));
    const pooled = this.maxpool ? this.maxpool.call(stem) : stem;
    const features = this.layers.reduce((value, layer) => layer.call(value), pooled);
    return this.fc.call(this.avgpool.call(features));
  }
}

/** Square filters that keep the size of the image at stride 1, without a bias: batch norm has one. */
function convolution(
  device: Device,
  kernelSize: number,
  inChannels: number,
  outChannels: number,
  stride = 1,
): Conv2d {
  const padding = (kernelSize - 1) / 2;
  const shape = { inChannels, outChannels, kernelSize, stride, padding };
  return new Conv2d(device, { ...shape, bias: false, weightInit });
}

function downsampling(
  device: Device,
  inChannels: number,
  outChannels: number,
  stride: number,
): Sequential | undefined {
  if (stride === 1 && inChannels === outChannels) return undefined;
  return new Sequential(
    convolution(device, 1, inChannels, outChannels, stride),
    new BatchNorm2d(device, { channels: outChannels }),
  );
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
