import { parseAugment } from '../autograd/augment_text.js';
import { deviceOf, type Device } from '../device.js';
import { UsageError } from '../errors.js';
import type { Module } from '../nn/index.js';
import { expectOperands, withOperands, type OperandType } from '../ops/mixed_precision.js';
import { augment } from '../ops/random.js';
import type { Tensor } from '../tensor.js';
import type { ImageOptions } from './fit_options.js';
import { checkNormalization, normalizationText, parseNormalization } from './normalization.js';

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
  /** What convolutions and matmuls multiply; everything else is f32. Default 'f32'. */
  dtype?: OperandType;
}

/** Errors: UsageError for a network that is on no device. */
function deviceOfModel(where: string, model: Module): Device {
  for (const tensor of model.stateDict().values()) return deviceOf(tensor);
  throw new UsageError(
    `${where}: the network (${model.constructor.name}) has no parameters`,
    'pass a network with layers that have some',
  );
}

/**
 * A network with the form of its images, as options give it, for images of one shape.
 *
 * Errors: UsageError for images that would have to be made smaller, or have other channels; for a
 * normalisation of other channels; DeviceError if the adapter cannot multiply the type.
 */
export function classifierOf(
  where: string,
  model: Module,
  sourceShape: readonly [number, number, number],
  { input, normalize, dtype, augment }: ImageOptions & { augment?: string | null },
): Classifier {
  const device = deviceOfModel(where, model);
  const imageShape = input ?? sourceShape;
  const [height, width, channels] = sourceShape;
  if (height > imageShape[0] || width > imageShape[1] || channels !== imageShape[2]) {
    throw new UsageError(
      `${where}: input: images of ${sourceShape.join('×')} can be enlarged, with the channels they have, not brought to ${imageShape.join('×')}`,
      'open the data in that size: openDataset(…, { imageSize, channels })',
    );
  }
  const text = normalizationText(normalize ?? 'none');
  checkNormalization(where, text, channels);
  expectOperands(device.runtime, dtype ?? 'f32');
  return new Classifier(device, model, {
    ...{ imageShape, sourceShape, normalize: text, augment: augment ?? 'none' },
    dtype: dtype ?? 'f32',
  });
}

/** Puts a network in evaluation mode; the function that is returned gives its modules the modes they had. */
export function evaluationMode(model: Module): () => void {
  const modes = [...model.namedModules()].map(([, module]) => [module, module.isTraining] as const);
  model.eval();
  return () => {
    for (const [module, isTraining] of modes) module.isTraining = isTraining;
  };
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

  /** Height, width and channels that the network sees. */
  get imageShape(): readonly [number, number, number] {
    return this.form.imageShape;
  }

  /** Of the images that it takes. */
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
