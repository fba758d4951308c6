import type { Device } from '../device.js';
import { Dense, Dropout, Flatten, Sequential } from '../nn/index.js';
import { convStage } from './conv_stage.js';
import { pixelsAfterPooling, resolveOptions, type ModelOptions } from './options.js';

/**
 * Six 3×3 convolutions in three stages of 32, 64 and 256 filters, each stage with max pooling and
 * dropout 0.2, then a dense layer of 1024 with dropout 0.5. By default for 64×64×3 and 18
 * characters: 10,260,018 parameters.
 *
 * Source: the six-convolution Keras network widely used on the Simpsons characters data set.
 */
export function simpsonsKeras(device: Device, options: ModelOptions = {}): Sequential {
  const shape = resolveOptions('simpsonsKeras', options, { input: [64, 64, 3], classes: 18 });
  const pixels = pixelsAfterPooling('simpsonsKeras', shape, [2, 2, 2]);
  return new Sequential(
    ...convStage(device, [shape.channels, 32], 0.2),
    ...convStage(device, [32, 64], 0.2),
    ...convStage(device, [64, 256], 0.2),
    new Flatten(),
    new Dense(device, { inFeatures: pixels * 256, outFeatures: 1024, activation: 'relu' }),
    new Dropout({ rate: 0.5 }),
    new Dense(device, { inFeatures: 1024, outFeatures: shape.classes }),
  );
}
