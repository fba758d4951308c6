import type { Device } from '../device.js';
import type { Module } from '../nn/index.js';
import { castArray } from '../kernels/cast.js';
import { Tensor } from '../tensor.js';

/** A network that takes images in [0, 1] and returns logits [N K]. */
export class Classifier {
  constructor(
    readonly device: Device,
    readonly model: Module,
    readonly imageShape: readonly [number, number, number],
  ) {}

  /** Logits of packed u8 images [N·H·W·C]; they become floats on the GPU. */
  logits(images: Tensor): Tensor {
    const [height, width, channels] = this.imageShape;
    const count = images.size / (height * width * channels);
    const packed = images.gpuArray.view([count, height, width, channels]);
    const pixels = Tensor.own(images.runtime, castArray(images.runtime, packed, 'f32', 1 / 255));
    packed.release();
    return this.model.call(pixels);
  }
}
