import type { Device } from '../device.js';
import type { Module } from '../nn/index.js';
import { castArray } from '../kernels/cast.js';
import { withOperands, type OperandType } from '../ops/mixed_precision.js';
import { Tensor } from '../tensor.js';

/** A network that takes images in [0, 1] and returns logits [N K]. */
export class Classifier {
  constructor(
    readonly device: Device,
    readonly model: Module,
    readonly imageShape: readonly [number, number, number],
    /** What convolutions and matrix products multiply; everything else is f32. */
    readonly operandType: OperandType = 'f32',
  ) {}

  /** Logits of packed u8 images [N·H·W·C]; they become floats on the GPU. */
  logits(images: Tensor): Tensor {
    const [height, width, channels] = this.imageShape;
    const count = images.size / (height * width * channels);
    const packed = images.gpuArray.view([count, height, width, channels]);
    const pixels = Tensor.own(images.runtime, castArray(images.runtime, packed, 'f32', 1 / 255));
    packed.release();
    return withOperands(this.operandType, () => this.model.call(pixels));
  }
}
