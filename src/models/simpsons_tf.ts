import type { Device } from '../device.js';
import {
  Conv2d,
  Dense,
  Dropout,
  Flatten,
  MaxPool2d,
  Sequential,
  type Module,
} from '../nn/index.js';
import { pixelsAfterPooling, resolveOptions, type ModelOptions } from './options.js';

export interface SimpsonsTfOptions extends ModelOptions {
  /** Share of the values dropped before each dense layer while training. Default 0.4. */
  dropout?: number;
}

/**
 * Four 3×3 'same' convolutions of 8, 16, 32 and 64 filters, each with ReLU and 2×2 max pooling, then
 * three dense layers of 512 with ReLU and one for the classes, a dropout before each of the four.
 * Weights start Glorot-uniform. By default for 64×64×3 and 18 characters: 1,083,874 parameters.
 *
 * Errors: ShapeError for images below 16×16.
 * Source: a TensorFlow project on the Simpsons characters data set.
 */
export function simpsonsTf(device: Device, options: SimpsonsTfOptions = {}): Sequential {
  const shape = resolveOptions('simpsonsTf', options, { input: [64, 64, 3], classes: 18 });
  const pixels = pixelsAfterPooling('simpsonsTf', shape, [0, 0, 0, 0]);
  const { dropout: rate = 0.4 } = options;
  const layers: Module[] = [];
  let inChannels = shape.channels;
  for (const outChannels of [8, 16, 32, 64]) {
    const filters = { inChannels, outChannels, kernelSize: 3, padding: 'same' } as const;
    layers.push(new Conv2d(device, { ...filters, activation: 'relu' }), new MaxPool2d({ size: 2 }));
    inChannels = outChannels;
  }
  layers.push(new Flatten());
  let inFeatures = pixels * inChannels;
  for (const outFeatures of [512, 512, 512]) {
    const dense = new Dense(device, { inFeatures, outFeatures, activation: 'relu' });
    layers.push(new Dropout({ rate }), dense);
    inFeatures = outFeatures;
  }
  const last = new Dense(device, { inFeatures, outFeatures: shape.classes });
  return new Sequential(...layers, new Dropout({ rate }), last);
}
