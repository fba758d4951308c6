import type { Device } from '../device.js';
import {
  AvgPool2d,
  convBatchNorm,
  Dense,
  Flatten,
  init,
  MaxPool2d,
  Module,
  type BatchNorm2d,
  type Conv2d,
  type Sequential,
} from '../nn/index.js';
import type { Tensor } from '../tensor.js';
import { expectEdges, kerasBatchNorm, resolveOptions, type ModelOptions } from './options.js';
import { convolution, normRelu, residualStages, type BlockStyle } from './resnet_blocks.js';

/** Parameters of a network of this form; `resnet101V1` has 101 layers. */
export interface ResNetV1Architecture extends ModelOptions {
  /** Residual blocks of each stage. */
  stages: readonly number[];
  /** Channels of the first stage's 3×3 convolutions; each later stage has twice as many. Default 64. */
  width?: number;
}

/** The paper's bottlenecks, with the biases and batch norm defaults of Keras. */
const style: BlockStyle = {
  ...{ hasBias: true, strideIn: '1×1', shortcut: 'projection', batchNorm: kerasBatchNorm },
  weightInit: init.glorotUniform(),
};

/**
 * The bottleneck network of the paper's first version as it is written for 64×64 images in Keras. It
 * differs from `ResNet` in its biases, in the stride of a stage, which is in the first 1×1, in
 * pooling without padding, and in its end: a mean of 2×2 windows, flattened. The names in its state
 * dict are those of `ResNet`; a block's shortcut comes after its convolutions.
 */
export class ResNetV1 extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly maxpool = new MaxPool2d({ size: 3, stride: 2 });
  /** Stages; in names `layer1`, `layer2` and so on. */
  readonly layers: readonly Sequential[];
  readonly avgpool = new AvgPool2d({ size: 2 });
  readonly flatten = new Flatten();
  readonly fc: Dense;

  constructor(
    device: Device,
    readonly options: ResNetV1Architecture,
  ) {
    super();
    const { stages, width = 64 } = options;
    const shape = resolveOptions('resnet101V1', options, { input: [64, 64, 3], classes: 43 });
    expectEdges('resnet101V1', shape, leastEdge(stages.length));
    const stem = { kernelSize: 7, stride: 2, inChannels: shape.channels, outChannels: width };
    this.conv1 = convolution(device, stem, style);
    this.bn1 = normRelu(device, width, style);
    const { layers, outChannels } = residualStages(device, {
      ...{ block: 'bottleneck', stages, width, inChannels: width, style },
    });
    this.layers = layers;
    const pixels =
      edgeAtTheEnd(shape.height, stages.length) * edgeAtTheEnd(shape.width, stages.length);
    this.fc = new Dense(device, {
      ...{ inFeatures: pixels * outChannels, outFeatures: shape.classes },
    });
  }

  override *children(): Generator<[string, Module]> {
    yield ['conv1', this.conv1];
    yield ['bn1', this.bn1];
    yield ['maxpool', this.maxpool];
    for (const [i, layer] of this.layers.entries()) yield [`layer${i + 1}`, layer];
    yield ['avgpool', this.avgpool];
    yield ['flatten', this.flatten];
    yield ['fc', this.fc];
  }

  forward(x: Tensor): Tensor {
    const pooled = this.maxpool.call(convBatchNorm(this.conv1, this.bn1, x));
    const features = this.layers.reduce((value, layer) => layer.call(value), pooled);
    return this.fc.call(this.flatten.call(this.avgpool.call(features)));
  }
}

/** Edge after the stem, the stages and the last pooling. */
function edgeAtTheEnd(edge: number, stages: number): number {
  const convolved = Math.floor((edge + 6 - 7) / 2) + 1;
  const pooled = Math.floor((convolved - 3) / 2) + 1;
  return Math.floor(Math.ceil(pooled / 2 ** (stages - 1)) / 2);
}

/** The smallest valid edge, computed backwards from the 2 that the last pooling needs. */
function leastEdge(stages: number): number {
  const pooled = 2 ** (stages - 1) + 1;
  const convolved = 2 * (pooled - 1) + 3;
  return 2 * (convolved - 1) + 1;
}

/**
 * ResNet-101 as published for traffic signs: three pixels of zeros round the image, a 7×7 convolution
 * of stride 2, 3×3 max pooling, bottlenecks in stages of 3, 4, 23 and 3, a mean of 2×2 windows and a
 * dense layer. Batch norm has ε 1e-3 and keeps 0.99 of the running value; all convolutions have
 * biases; weights start Glorot-uniform. By default for 64×64×3 and 43 classes: 42,746,283
 * parameters, of them 105,344 running statistics.
 *
 * **Errors** ShapeError for images below 37×37, of which the last pooling would leave nothing.
 * **Source** He et al., "Deep Residual Learning for Image Recognition", arXiv:1512.03385, table 1 and
 * section 3.4; in Keras the form widely copied from the course Convolutional Neural Networks of
 * deeplearning.ai.
 *
 * @example
 * const model = models.resnet101V1(device, { classes: 43 });
 * model.call(device.zeros([1, 64, 64, 3])).shape; // [1, 43]
 */
export function resnet101V1(device: Device, options: ModelOptions = {}): ResNetV1 {
  return new ResNetV1(device, { ...options, stages: [3, 4, 23, 3] });
}
