import type { Device } from '../device.js';
import { Dense, Dropout, Flatten, init, Sequential, type Module } from '../nn/index.js';
import { resolveOptions, type ModelOptions } from './options.js';

export interface MlpOptions extends ModelOptions {
  /** Sizes of the layers between image and classes. Default [256, 128]. */
  hidden?: readonly number[];
  /** Share of each hidden layer's values dropped while training. Default 0, and then no layer. */
  dropout?: number;
}

/**
 * Fully connected layers with ReLU on the flattened image, by default 28×28×1 to 10 classes:
 * 235,146 parameters. Weights are He-uniform, biases 0.
 *
 * Source: Goodfellow et al., Deep Learning, chapter 6.
 */
export function mlp(device: Device, options: MlpOptions = {}): Sequential {
  const { height, width, channels, classes } = resolveOptions('mlp', options, {
    ...{ input: [28, 28, 1], classes: 10 },
  });
  const { hidden = [256, 128], dropout = 0 } = options;
  const layers: Module[] = [new Flatten()];
  let inFeatures = height * width * channels;
  for (const outFeatures of hidden) {
    const weightInit = init.heUniform();
    layers.push(new Dense(device, { inFeatures, outFeatures, activation: 'relu', weightInit }));
    if (dropout > 0) layers.push(new Dropout({ rate: dropout }));
    inFeatures = outFeatures;
  }
  layers.push(new Dense(device, { inFeatures, outFeatures: classes }));
  return new Sequential(...layers);
}
