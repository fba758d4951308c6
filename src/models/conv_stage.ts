import type { Device } from '../device.js';
import { Conv2d, Dropout, MaxPool2d, type Module } from '../nn/index.js';

/**
 * Two 3×3 convolutions with ReLU, the first 'same' and the second 'valid', 2×2 max pooling and
 * dropout: the stage that the small networks of the Keras examples repeat.
 */
export function convStage(
  device: Device,
  [inChannels, outChannels]: readonly [number, number],
  dropout: number,
): Module[] {
  const common = { outChannels, kernelSize: 3, activation: 'relu' } as const;
  return [
    new Conv2d(device, { inChannels, padding: 'same', ...common }),
    new Conv2d(device, { inChannels: outChannels, ...common }),
    new MaxPool2d({ size: 2 }),
    new Dropout({ rate: dropout }),
  ];
}
