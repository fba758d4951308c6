import type { Device } from '../device.js';
import {
  BatchNorm2d,
  Conv2d,
  Dense,
  Dropout,
  GlobalAvgPool2d,
  MaxPool2d,
  Sequential,
} from '../nn/index.js';
import { expectEdges, kerasBatchNorm, resolveOptions, type ModelOptions } from './options.js';

export interface CifarSimpleOptions extends ModelOptions {
  /** Share of the values dropped in each of the four places while training. Default 0.25. */
  dropout?: number;
}

/** The four convolutions take two rows and columns each, the two poolings half: 1 ← 3 ← 8 ← 20. */
const LEAST_EDGE = 20;

/**
 * Four 3×3 'valid' convolutions of 64, 128, 256 and 512 filters with ReLU, 2×2 max pooling after the
 * second and third, dropout and batch norm between them, the mean over the image, and dense layers
 * of 256, 256 and the classes. Weights start Glorot-uniform. By default for 32×32×3 and 100 classes:
 * 1,777,636 parameters, of them 1,920 running statistics.
 *
 * Errors: ShapeError for images below 20×20.
 * Source: a Keras project on CIFAR-100.
 */
export function cifarSimple(device: Device, options: CifarSimpleOptions = {}): Sequential {
  const shape = resolveOptions('cifarSimple', options, { input: [32, 32, 3], classes: 100 });
  expectEdges('cifarSimple', shape, LEAST_EDGE);
  const { dropout: rate = 0.25 } = options;
  const convolution = (inChannels: number, outChannels: number): Conv2d =>
    new Conv2d(device, { inChannels, outChannels, kernelSize: 3, activation: 'relu' });
  const norm = (channels: number): BatchNorm2d =>
    new BatchNorm2d(device, { channels, ...kerasBatchNorm });
  return new Sequential(
    convolution(shape.channels, 64),
    new Dropout({ rate }),
    norm(64),
    convolution(64, 128),
    new MaxPool2d({ size: 2 }),
    new Dropout({ rate }),
    norm(128),
    convolution(128, 256),
    new MaxPool2d({ size: 2 }),
    new Dropout({ rate }),
    norm(256),
    convolution(256, 512),
    norm(512),
    new GlobalAvgPool2d(),
    new Dropout({ rate }),
    new Dense(device, { inFeatures: 512, outFeatures: 256, activation: 'relu' }),
    new Dense(device, { inFeatures: 256, outFeatures: 256, activation: 'relu' }),
    new Dense(device, { inFeatures: 256, outFeatures: shape.classes }),
  );
}
