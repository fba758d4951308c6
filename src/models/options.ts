import { kebab, ShapeError, wordsFor } from '../errors.js';

/** Height, width and channels of an image. */
export type ImageShape = readonly [height: number, width: number, channels: number];

/** What every model takes. */
export interface ModelOptions {
  /** Height, width and channels of the images. Each model names its own default. */
  input?: ImageShape;
  /** Number of classes. */
  classes?: number;
}

/**
 * How a residual block's input is mapped to another shape: 'projection' is a 1×1 convolution with batch
 * norm, 'pad' takes every stride-th pixel and adds channels of zeros behind the others, 'pad-both' half
 * of them before and half behind, as published weights of CIFAR networks in PyTorch want it.
 *
 * Source: He et al., arXiv:1512.03385, sections 3.3 and 4.2 (its options B and A).
 */
export const shortcuts = ['pad', 'pad-both', 'projection'] as const;
export type Shortcut = (typeof shortcuts)[number];

/** The options of any model by name; which of them it takes is up to the model. */
export interface AnyModelOptions extends ModelOptions {
  shortcut?: Shortcut | undefined;
}

/** The options with a model's defaults in place of what was left out, checked. */
export function resolveOptions(
  model: string,
  options: ModelOptions,
  defaults: Required<ModelOptions>,
): { height: number; width: number; channels: number; classes: number } {
  const { input, classes } = {
    input: options.input ?? defaults.input,
    classes: options.classes ?? defaults.classes,
  };
  if (input.length !== 3 || !input.every((n) => Number.isInteger(n) && n > 0)) {
    throw new ShapeError(
      `${model}: input must be height, width and channels, whole numbers from 1 on, got [${input.join(', ')}]`,
    );
  }
  if (!Number.isInteger(classes) || classes < 1) {
    throw new ShapeError(`${model}: classes must be a whole number from 1 on, got ${classes}`);
  }
  const [height, width, channels] = input;
  return { height, width, channels, classes };
}

/** Keras' batch norm keeps 0.99 of the running value and adds 1e-3 to the variance. */
export const kerasBatchNorm = { momentum: 0.01, epsilon: 1e-3 } as const;

/**
 * Pixels that remain of an image after stages of convolutions, each followed by 2×2 pooling; `trims`
 * are the rows and columns that the convolutions of each stage cut off.
 *
 * Errors: ShapeError if the edges that are left are below `least`, 1 by default.
 */
export function pixelsAfterPooling(
  model: string,
  shape: { height: number; width: number },
  trims: readonly number[],
  least = 1,
): number {
  expectEdges(
    model,
    shape,
    trims.reduceRight((needed, trim) => 2 * needed + trim, least),
  );
  const after = (extent: number): number =>
    trims.reduce((left, trim) => Math.floor((left - trim) / 2), extent);
  return after(shape.height) * after(shape.width);
}

/** Errors: ShapeError if an image is smaller than the network can take. */
export function expectEdges(
  model: string,
  { height, width }: { height: number; width: number },
  least: number,
): void {
  if (height >= least && width >= least) return;
  throw new ShapeError(
    `${wordsFor({ program: model, commandLine: kebab(model) })}: images of ${height}×${width} are smaller than the network can take`,
    {
      program: `use images of at least ${least}×${least}`,
      commandLine: `use --input with at least ${least},${least}, to which images are scaled`,
    },
  );
}
