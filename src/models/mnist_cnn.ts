import type { Device } from '../device.js';
import { Conv2d, Dense, Dropout, Flatten, init, MaxPool2d, Sequential } from '../nn/index.js';
import { pixelsAfterPooling, resolveOptions, type ModelOptions } from './options.js';

export interface MnistCnnOptions extends ModelOptions {
  /** Share of the dense layer's values dropped while training. Default 0.5. */
  dropout?: number;
}

/**
 * Two 5×5 convolutions (32 and 64 filters, 'same'), each with ReLU and 2×2 max pooling, a dense
 * layer of 1024 with ReLU, dropout, and the classes; weights truncated normal 0.1, biases 0.1.
 * By default for 28×28×1 and 10 classes: 3,274,634 parameters.
 *
 * Source: the convolutional network of TensorFlow's tutorial "Deep MNIST for experts".
 */
export function mnistCnn(device: Device, options: MnistCnnOptions = {}): Sequential {
  const shape = resolveOptions('mnistCnn', options, { input: [28, 28, 1], classes: 10 });
  const pixels = pixelsAfterPooling('mnistCnn', shape, [0, 0]);
  const common = {
    weightInit: init.truncatedNormal({ standardDeviation: 0.1 }),
    biasInit: init.constant(0.1),
  };
  const convolution = (inChannels: number, outChannels: number): Conv2d =>
    new Conv2d(device, {
      ...{ inChannels, outChannels, kernelSize: 5, padding: 'same', activation: 'relu' },
      ...common,
    });
  return new Sequential(
    convolution(shape.channels, 32),
    new MaxPool2d({ size: 2 }),
    convolution(32, 64),
    new MaxPool2d({ size: 2 }),
    new Flatten(),
    new Dense(device, {
      ...{ inFeatures: pixels * 64, outFeatures: 1024, activation: 'relu' },
      ...common,
    }),
    new Dropout({ rate: options.dropout ?? 0.5 }),
    new Dense(device, { inFeatures: 1024, outFeatures: shape.classes, ...common }),
  );
}
