import type { Device } from '../device.js';
import { Conv2d, Dense, Dropout, Flatten, MaxPool2d, Sequential } from '../nn/index.js';
import { pixelsAfterPooling, resolveOptions, type ModelOptions } from './options.js';

/**
 * Three 3×3 'valid' convolutions of 32, 128 and 512 filters with ReLU, each with 2×2 max pooling and
 * the last with two, then a dense layer of 500 with ReLU and dropout 0.5. Weights start
 * Glorot-uniform. By default for 64×64×3 and 18 characters: 2,941,742 parameters.
 *
 * Errors: ShapeError for images below 30×30.
 * Source: a Keras project on the Simpsons characters data set.
 */
export function simpsonsKeras(device: Device, options: ModelOptions = {}): Sequential {
  const shape = resolveOptions('simpsonsKeras', options, { input: [64, 64, 3], classes: 18 });
  const pixels = pixelsAfterPooling('simpsonsKeras', shape, [2, 2, 2, 0]);
  const convolution = (inChannels: number, outChannels: number): Conv2d =>
    new Conv2d(device, { inChannels, outChannels, kernelSize: 3, activation: 'relu' });
  return new Sequential(
    convolution(shape.channels, 32),
    new MaxPool2d({ size: 2 }),
    convolution(32, 128),
    new MaxPool2d({ size: 2 }),
    convolution(128, 512),
    new MaxPool2d({ size: 2 }),
    new MaxPool2d({ size: 2 }),
    new Flatten(),
    new Dense(device, { inFeatures: pixels * 512, outFeatures: 500, activation: 'relu' }),
    new Dropout({ rate: 0.5 }),
    new Dense(device, { inFeatures: 500, outFeatures: shape.classes }),
  );
}
