import type { Device } from '../device.js';
import { resolveOptions, type ModelOptions } from './options.js';
import { ResNet } from './resnet.js';

export interface CompactResnetOptions extends ModelOptions {
  /** Share of the features dropped before the dense layer while training. Default 0.2. */
  dropout?: number;
}

/** From this edge on the stem quarters images, below it halves them. */
const QUARTERED_FROM = 48;

/**
 * A residual network for few pictures and slow adapters: a 3×3 convolution of stride 2 with 32 filters,
 * from 48 pixels on max pooling, four stages of one basic block each with 32, 64, 128 and 256
 * channels, the mean over the image, dropout and a dense layer. By default for 64×64×3 and 10 classes:
 * 1,231,850 parameters, of them 2,880 running statistics; 34 MFLOP an image.
 *
 * Source: He et al., "Deep Residual Learning for Image Recognition", arXiv:1512.03385, at a depth (10)
 * and width below the paper's; measured in docs/runs.md.
 *
 * @example
 * const model = models.compactResnet(device, { input: [96, 96, 3], classes: 4 });
 * model.call(device.zeros([1, 96, 96, 3])).shape; // [1, 4]
 */
export function compactResnet(device: Device, options: CompactResnetOptions = {}): ResNet {
  const defaults = { input: [64, 64, 3], classes: 10 } as const;
  const { height, width, channels, classes } = resolveOptions('compactResnet', options, defaults);
  return new ResNet(device, {
    ...{ input: [height, width, channels], classes, dropout: options.dropout ?? 0.2 },
    ...{ block: 'basic', stages: [1, 1, 1, 1], width: 32 },
    stem: Math.min(height, width) < QUARTERED_FROM ? 'half' : 'quarter',
  });
}
