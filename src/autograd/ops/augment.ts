import { ShapeError } from '../../errors.js';
import { sizeOf, type DType } from '../../gpu/array.js';
import {
  augmentArray,
  augmentFlops,
  augmentVariants,
  type AugmentRule,
  type AugmentVariant,
} from '../../kernels/augment.js';
import { augmentRule, type AugmentSettings } from '../augment_settings.js';
import { expectElements, labelAny } from '../operands.js';
import type { InputMetas, Meta, OpRecord, Plan } from '../record.js';

export interface AugmentOptions {
  /** Height, width and channels of the input images. Required if they come flattened. */
  imageShape?: readonly [number, number, number];
  /** Height and width of the output. Default: those of the input. */
  size?: readonly [number, number];
  /** Default none. */
  settings?: AugmentSettings;
  /** Where false, images are only resized and normalised. Default true. */
  training?: boolean;
  /** Factor for the bytes. Default 1 / 255. */
  scale?: number;
  /** Subtracted after scaling, for each channel. Default 0. */
  mean?: readonly number[];
  /** Divided by, for each channel. Default 1. */
  standardDeviation?: readonly number[];
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: AugmentVariant;
}

export interface AugmentPlan extends Plan {
  /** Shape of the input images, [N h w C]. */
  images: readonly [number, number, number, number];
  /** null if no random number is drawn. */
  rule: AugmentRule | null;
  scale: number;
  mean: readonly number[];
  standardDeviation: readonly number[];
}

const OP = 'augment';
const MOST_CHANNELS = 4;

/** Images of bytes as floats, resized, randomly displaced and normalised. Not differentiable. */
export const augment: OpRecord<AugmentOptions, AugmentPlan> = {
  name: OP,
  variants: () => augmentVariants,
  inputs: { images: 'N H W C' },
  shape: augmentPlan,
  forward({ runtime, inputs, options, plan }) {
    const images = inputs.images!.view(plan.images);
    const size = [plan.shape[1], plan.shape[2]] as const;
    const y = augmentArray(runtime, images, { ...plan, size, variant: options.variant });
    images.release();
    return { y };
  },
  saves: {},
  derivatives: {},
  backward: () => ({}),
  flops: (_inputs, plan) => augmentFlops(sizeOf(plan.shape), plan.shape[3]),
  bytes: (_inputs, plan) => sizeOf(plan.images) + 4 * sizeOf(plan.shape),
  source:
    'Simard, Steinkraus, Platt, Best practices for convolutional neural networks applied to visual document analysis, ICDAR 2003, section 2 (elastic)',
};

function augmentPlan(inputs: InputMetas, options: AugmentOptions): AugmentPlan {
  const bytes: DType[] = ['u8'];
  const images = expectElements(OP, 'images', inputs.images, bytes);
  const [height, width, channels] = imageShapeOf(images, options.imageShape);
  const count = sizeOf(images.shape) / (height * width * channels);
  const { size = [height, width], settings = {}, training = true, scale = 1 / 255 } = options;
  if (!isSize(size, 2)) {
    throw new ShapeError(
      `${OP}: size must be a height and a width, got [${size.join(', ')}] (${labelAny('images', images)})`,
    );
  }
  if (!(scale > 0 && Number.isFinite(scale))) {
    throw new ShapeError(`${OP}: scale must be a number above 0, got ${scale}`, 'use 1 / 255');
  }
  const { mean = new Array<number>(channels).fill(0) } = options;
  const { standardDeviation = new Array<number>(channels).fill(1) } = options;
  expectPerChannel('mean', mean, channels, Number.isFinite);
  expectPerChannel('standardDeviation', standardDeviation, channels, (each) => each > 0);
  // Checked in any case: settings that are wrong are wrong before training too.
  const rule = augmentRule(settings);
  return {
    shape: [count, ...size, channels],
    dtype: 'f32',
    images: [count, height, width, channels],
    rule: training ? rule : null,
    scale,
    mean,
    standardDeviation,
  };
}

function isSize(values: readonly number[], length: number): boolean {
  return values.length === length && values.every((each) => Number.isInteger(each) && each > 0);
}

/** [h w C]: as given, or the last three dimensions. */
function imageShapeOf(images: Meta, told: readonly number[] | undefined): readonly number[] {
  const text = labelAny('images', images);
  if (told === undefined && images.shape.length !== 4) {
    throw new ShapeError(
      `${OP}: images must have 4 dimensions [N H W C], got ${images.shape.length} (${text})`,
      'name imageShape: [H, W, C]',
    );
  }
  const shape = told ?? images.shape.slice(1);
  if (!isSize(shape, 3) || sizeOf(images.shape) % sizeOf(shape) !== 0) {
    throw new ShapeError(
      `${OP}: expected whole images of imageShape [${shape.join(', ')}], got ${sizeOf(images.shape)} bytes (${text})`,
    );
  }
  if (shape[2] > MOST_CHANNELS) {
    throw new ShapeError(
      `${OP}: images must have 1 to ${MOST_CHANNELS} channels, got ${shape[2]} (${text})`,
    );
  }
  return shape;
}

function expectPerChannel(
  name: string,
  values: readonly number[],
  channels: number,
  isFit: (value: number) => boolean,
): void {
  if (values.length === channels && values.every(isFit)) return;
  throw new ShapeError(
    `${OP}: ${name} must be ${channels} ${name === 'mean' ? 'numbers' : 'numbers above 0'}, one for each channel, got [${values.join(', ')}]`,
  );
}
