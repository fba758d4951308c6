import { parseAugment } from '../autograd/augment_text.js';
import type { Device } from '../device.js';
import type { Module } from '../nn/index.js';
import { withOperands, type OperandType } from '../ops/mixed_precision.js';
import { augment } from '../ops/random.js';
import type { Tensor } from '../tensor.js';
import { parseNormalization } from './normalization.js';

/** How images come to a network. */
export interface ImageForm {
  /** Height, width and channels that the network sees. */
  imageShape: readonly [number, number, number];
  /** Of the images as they come; smaller ones are enlarged. Default: imageShape. */
  sourceShape?: readonly [number, number, number];
  /** See normalization.ts. Default 'none'. */
  normalize?: string;
  /** What is done to images in training mode, see ops.augment. Default 'none'. */
  augment?: string;
  /** What convolutions and matrix products multiply; everything else is f32. Default 'f32'. */
  dtype?: OperandType;
}

/** A network that takes images and returns logits [N K]. */
export class Classifier {
  private readonly options;

  constructor(
    readonly device: Device,
    readonly model: Module,
    private readonly form: ImageForm,
  ) {
    const { imageShape, sourceShape = imageShape } = form;
    this.options = {
      ...{ imageShape: sourceShape, size: [imageShape[0], imageShape[1]] as const },
      settings: parseAugment(form.augment ?? 'none'),
      ...parseNormalization(form.normalize ?? 'none'),
    };
  }

  /** Height, width and channels of the images that it takes. */
  get sourceShape(): readonly [number, number, number] {
    return this.options.imageShape;
  }

  /** Logits of packed u8 images [N·h·w·C]; they become floats on the GPU. */
  logits(images: Tensor): Tensor {
    const pixels = this.pixels(images);
    return withOperands(this.form.dtype ?? 'f32', () => this.model.call(pixels));
  }

  /** What the network sees of packed u8 images: f32 [N H W C]; augmented in training mode. */
  pixels(images: Tensor): Tensor {
    return augment(images, { ...this.options, training: this.model.isTraining });
  }

  /** What the network sees of images, before normalisation, as bytes to be looked at. */
  async pictures(images: Uint8Array): Promise<Uint8Array> {
    const { imageShape, size, settings } = this.options;
    const pixels = this.device.scope(() =>
      augment(this.device.tensor(images), {
        ...{ imageShape, size, settings, training: this.model.isTraining },
      }),
    );
    const values = await pixels.data();
    pixels.dispose();
    return Uint8Array.from(values, (value) => Math.round(255 * value));
  }
}
