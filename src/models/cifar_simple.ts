import type { Device } from '../device.js';
import { Dense, Dropout, Flatten, Sequential } from '../nn/index.js';
import { convStage } from './conv_stage.js';
import { pixelsAfterPooling, resolveOptions, type ModelOptions } from './options.js';

/**
 * Four 3×3 convolutions in two stages of 32 and 64 filters, each stage with max pooling and
 * dropout 0.25, then a dense layer of 512 with dropout 0.5. By default for 32×32×3 and 10 classes:
 * 1,250,858 parameters.
 *
 * Source: the example cifar10_cnn of Keras 2.
 */
export function cifarSimple(device: Device, options: ModelOptions = {}): Sequential {
  const shape = resolveOptions('cifarSimple', options, { input: [32, 32, 3], classes: 10 });
  const pixels = pixelsAfterPooling('cifarSimple', shape, [2, 2]);
  return new Sequential(
    ...convStage(device, [shape.channels, 32], 0.25),
    ...convStage(device, [32, 64], 0.25),
    new Flatten(),
    new Dense(device, { inFeatures: pixels * 64, outFeatures: 512, activation: 'relu' }),
    new Dropout({ rate: 0.5 }),
    new Dense(device, { inFeatures: 512, outFeatures: shape.classes }),
  );
}
