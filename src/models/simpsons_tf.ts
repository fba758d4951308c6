import type { Device } from '../device.js';
import { Conv2d, Dense, Dropout, Flatten, MaxPool2d, Sequential } from '../nn/index.js';
import { pixelsAfterPooling, resolveOptions, type ModelOptions } from './options.js';

/**
 * Three 3×3 'same' convolutions of 16, 32 and 64 filters, each with ReLU and 2×2 max pooling,
 * dropout 0.2, and a dense layer of 128. By default for 64×64×3 and 18 characters: 550,322
 * parameters.
 *
 * Source: in the manner of TensorFlow's tutorial "Image classification".
 */
export function simpsonsTf(device: Device, options: ModelOptions = {}): Sequential {
  const shape = resolveOptions('simpsonsTf', options, { input: [64, 64, 3], classes: 18 });
  const pixels = pixelsAfterPooling('simpsonsTf', shape, [0, 0, 0]);
  const convolution = (inChannels: number, outChannels: number): Conv2d =>
    new Conv2d(device, {
      ...{ inChannels, outChannels, kernelSize: 3, padding: 'same', activation: 'relu' },
    });
  return new Sequential(
    convolution(shape.channels, 16),
    new MaxPool2d({ size: 2 }),
    convolution(16, 32),
    new MaxPool2d({ size: 2 }),
    convolution(32, 64),
    new MaxPool2d({ size: 2 }),
    new Dropout({ rate: 0.2 }),
    new Flatten(),
    new Dense(device, { inFeatures: pixels * 64, outFeatures: 128, activation: 'relu' }),
    new Dense(device, { inFeatures: 128, outFeatures: shape.classes }),
  );
}
