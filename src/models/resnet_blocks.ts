import type { Device } from '../device.js';
import { ShapeError } from '../errors.js';
import { BatchNorm2d, Conv2d, convBatchNorm, Module, Sequential } from '../nn/index.js';
import type { Initializer } from '../nn/init.js';
import { avgPool2d } from '../ops/pooling.js';
import { pad } from '../ops/shape.js';
import type { Tensor } from '../tensor.js';
import type { Shortcut } from './options.js';

export type BlockKind = 'basic' | 'bottleneck';

/** How the blocks of published residual networks differ. */
export interface BlockStyle {
  /** Whether convolutions have a bias, which the following batch norm cancels. */
  hasBias: boolean;
  /** The convolution of a bottleneck that has its stride: the 3×3 one, or the 1×1 before it. */
  strideIn: '3×3' | '1×1';
  /** Where a block changes the shape. */
  shortcut: Shortcut;
  batchNorm: { momentum?: number; epsilon?: number };
  weightInit: Initializer;
}

interface BlockOptions {
  inChannels: number;
  /** Channels of the 3×3 convolutions. */
  width: number;
  stride: number;
  style: BlockStyle;
}

interface ConvolutionOptions {
  kernelSize: number;
  inChannels: number;
  outChannels: number;
  stride?: number;
}

/** Square filters that keep the size of the image at stride 1. */
export function convolution(
  device: Device,
  options: ConvolutionOptions,
  { hasBias, weightInit }: BlockStyle,
): Conv2d {
  const padding = (options.kernelSize - 1) / 2;
  return new Conv2d(device, { ...options, padding, bias: hasBias, weightInit });
}

/** Batch norm in a style, with ReLU. */
export function normRelu(device: Device, channels: number, { batchNorm }: BlockStyle): BatchNorm2d {
  return new BatchNorm2d(device, { channels, activation: 'relu', ...batchNorm });
}

/** x → activation(bn(conv…(x)) + shortcut(x)), the sum inside the last batch norm's pass. */
abstract class ResidualBlock extends Module {
  /** Maps x to the block's shape, if it differs. */
  abstract readonly downsample: Module | undefined;

  protected shortcut(x: Tensor): Tensor {
    return this.downsample ? this.downsample.call(x) : x;
  }
}

/** Two 3×3 convolutions: figure 5 of the paper, left. */
class BasicBlock extends ResidualBlock {
  static readonly expansion = 1;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Module | undefined;

  constructor(device: Device, { inChannels, width, stride, style }: BlockOptions) {
    super();
    const first = { kernelSize: 3, inChannels, outChannels: width, stride };
    const second = { kernelSize: 3, inChannels: width, outChannels: width };
    this.conv1 = convolution(device, first, style);
    this.bn1 = normRelu(device, width, style);
    this.conv2 = convolution(device, second, style);
    this.bn2 = normRelu(device, width, style);
    this.downsample = shortcutOf(device, { ...first, kernelSize: 1 }, style);
  }

  forward(x: Tensor): Tensor {
    const inner = convBatchNorm(this.conv1, this.bn1, x);
    return convBatchNorm(this.conv2, this.bn2, inner, () => this.shortcut(x));
  }
}

/**
 * A 1×1 convolution down to fewer channels, a 3×3 one, and a 1×1 one up to four times as many:
 * figure 5 of the paper, right. With the stride in the 3×3 convolution every pixel is seen (known as
 * ResNet v1.5); the paper has it in the first 1×1.
 */
class Bottleneck extends ResidualBlock {
  static readonly expansion = 4;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly downsample: Module | undefined;

  constructor(device: Device, { inChannels, width, stride, style }: BlockOptions) {
    super();
    const outChannels = width * Bottleneck.expansion;
    const [outer, inner] = style.strideIn === '1×1' ? [stride, 1] : [1, stride];
    const first = { kernelSize: 1, inChannels, outChannels: width, stride: outer };
    const second = { kernelSize: 3, inChannels: width, outChannels: width, stride: inner };
    const third = { kernelSize: 1, inChannels: width, outChannels };
    this.conv1 = convolution(device, first, style);
    this.bn1 = normRelu(device, width, style);
    this.conv2 = convolution(device, second, style);
    this.bn2 = normRelu(device, width, style);
    this.conv3 = convolution(device, third, style);
    this.bn3 = normRelu(device, outChannels, style);
    this.downsample = shortcutOf(device, { kernelSize: 1, inChannels, outChannels, stride }, style);
  }

  forward(x: Tensor): Tensor {
    const narrow = convBatchNorm(this.conv1, this.bn1, x);
    const inner = convBatchNorm(this.conv2, this.bn2, narrow);
    return convBatchNorm(this.conv3, this.bn3, inner, () => this.shortcut(x));
  }
}

/** Every stride-th pixel, with channels of zeros before and behind the others: [N H W C] → [N P Q before + C + behind]. */
export class PadShortcut extends Module {
  constructor(
    readonly options: { stride: number; added: readonly [before: number, behind: number] },
  ) {
    super();
  }

  forward(x: Tensor): Tensor {
    const { stride, added } = this.options;
    // Pooling with 1×1 windows: it only selects pixels.
    const pixels = stride === 1 ? x : avgPool2d(x, { size: 1, stride });
    const none = [0, 0] as const;
    return pad(pixels, { padding: [none, none, none, added] });
  }

  override describe(): string {
    const { stride, added } = this.options;
    const [before, behind] = added;
    const where = before === 0 ? '' : `, ${before} of them before the others`;
    return `stride=${stride}, ${before + behind} channels added${where}`;
  }
}

function shortcutOf(
  device: Device,
  options: Required<ConvolutionOptions>,
  style: BlockStyle,
): Module | undefined {
  const { inChannels, outChannels, stride } = options;
  if (stride === 1 && inChannels === outChannels) return undefined;
  if (style.shortcut !== 'projection') {
    const added = outChannels - inChannels;
    const before = style.shortcut === 'pad' ? 0 : Math.floor(added / 2);
    return new PadShortcut({ stride, added: [before, added - before] });
  }
  return new Sequential(
    convolution(device, options, style),
    new BatchNorm2d(device, { channels: outChannels, ...style.batchNorm }),
  );
}

export interface ResidualStages {
  block: BlockKind;
  /** Residual blocks of each stage. */
  stages: readonly number[];
  /** Channels of the first stage's 3×3 convolutions; each later stage has twice as many. */
  width: number;
  /** Input channels. */
  inChannels: number;
  style: BlockStyle;
}

/**
 * Stages of residual blocks; each but the first halves the image in its first block.
 *
 * Errors: ShapeError if a stage has no block.
 */
export function residualStages(
  device: Device,
  { block, stages, width: firstWidth, inChannels: first, style }: ResidualStages,
): { layers: Sequential[]; outChannels: number } {
  if (stages.length === 0 || !stages.every((count) => Number.isInteger(count) && count > 0)) {
    throw new ShapeError(
      `resnet: stages must be numbers of blocks from 1 on, got [${stages.join(', ')}]`,
    );
  }
  const Block = block === 'basic' ? BasicBlock : Bottleneck;
  let inChannels = first;
  const layers = stages.map((count, stage) => {
    const width = firstWidth * 2 ** stage;
    const blocks = Array.from({ length: count }, (_, i) => {
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const made = new Block(device, { inChannels, width, stride, style });
      inChannels = width * Block.expansion;
      return made;
    });
    return new Sequential(...blocks);
  });
  return { layers, outChannels: inChannels };
}
