import type { Device } from '../device.js';
import {
  BatchNorm2d,
  Conv2d,
  Dense,
  Dropout,
  Flatten,
  MaxPool2d,
  Sequential,
  type Module,
} from '../nn/index.js';
import {
  kerasBatchNorm,
  pixelsAfterPooling,
  resolveOptions,
  type ModelOptions,
} from './options.js';

/** Filters of the convolutions of each stage; a 2×2 max pooling ends it. */
const stages = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
] as const;

/**
 * VGG-16's thirteen 3×3 'same' convolutions for 32×32 images, each with ReLU and then batch norm,
 * dropout 0.3 in the first stage and 0.4 in the others except before a pooling, then one dense layer
 * of 512 with ReLU and batch norm between dropouts of 0.5. Weights start Glorot-uniform. By default
 * for 32×32×3 and 100 classes: 15,047,588 parameters, of them 9,472 running statistics.
 *
 * Errors: ShapeError for images below 32×32.
 * Source: Simonyan & Zisserman, arXiv:1409.1556, table 1, configuration D; its form for small
 * images: Liu & Deng, "Very deep convolutional neural network based image classification using
 * small training sample size", ACPR 2015.
 */
export function cifarVgg(device: Device, options: ModelOptions = {}): Sequential {
  const shape = resolveOptions('cifarVgg', options, { input: [32, 32, 3], classes: 100 });
  const pixels = pixelsAfterPooling('cifarVgg', shape, [0, 0, 0, 0, 0]);
  const norm = (channels: number): BatchNorm2d =>
    new BatchNorm2d(device, { channels, ...kerasBatchNorm });
  const layers: Module[] = [];
  let inChannels = shape.channels;
  stages.forEach((widths, stage) => {
    widths.forEach((outChannels, i) => {
      const filters = { inChannels, outChannels, kernelSize: 3, padding: 'same' } as const;
      layers.push(new Conv2d(device, { ...filters, activation: 'relu' }), norm(outChannels));
      const isLast = i === widths.length - 1;
      layers.push(
        isLast ? new MaxPool2d({ size: 2 }) : new Dropout({ rate: stage === 0 ? 0.3 : 0.4 }),
      );
      inChannels = outChannels;
    });
  });
  return new Sequential(
    ...layers,
    new Dropout({ rate: 0.5 }),
    new Flatten(),
    new Dense(device, { inFeatures: pixels * inChannels, outFeatures: 512, activation: 'relu' }),
    norm(512),
    new Dropout({ rate: 0.5 }),
    new Dense(device, { inFeatures: 512, outFeatures: shape.classes }),
  );
}
