import { plannedArray, planOnly } from '../autograd/planning.js';
import { watchOps, type OpWatcher } from '../autograd/recording.js';
import { bytesPerElement, sizeOf } from '../gpu/array.js';
import { LimitError, optionName, ShapeError, TrainingError, trainerName } from '../errors.js';
import type { Module } from '../nn/index.js';
import { runInScope, Tensor } from '../tensor.js';
import { evaluationMode, type Classifier } from './classifier.js';

/** Images in the batches of an epoch. */
export interface BatchSizes {
  full: number;
  /** Images of a last batch that is not full; 0 if there is none. */
  rest: number;
  /** In the largest batch that is evaluated. */
  evaluated: number;
}

/** Fewer images than a batch has are one batch by themselves. */
export function batchSizes(
  { batchSize, dropLast }: { batchSize: number; dropLast: boolean },
  trainingImages: number,
  evaluatedImages: number,
): BatchSizes {
  const full = Math.min(batchSize, trainingImages);
  const rest = dropLast ? 0 : trainingImages % full;
  return { full, rest, evaluated: Math.min(batchSize, evaluatedImages) };
}

/**
 * Goes through a network by shapes alone, before its first step: whether this adapter can bind every
 * value of a batch, and whether batch norms have what they need in each batch. `isTrained` says
 * whether a module normalises by the batch's statistics.
 *
 * Errors: LimitError, or TrainingError for a batch norm over single values; both name the layer and
 * the option to change.
 */
export function checkBatches(
  classifier: Classifier,
  sizes: BatchSizes,
  isTrained: (module: Module) => boolean,
): void {
  const { model } = classifier;
  const modules = new Map<string | null, Module>();
  for (const [path, module] of model.namedModules()) {
    modules.set(path || module.constructor.name, module);
  }
  // A batch norm in training would refuse single values without the name of its layer.
  const restore = evaluationMode(model);
  try {
    for (const size of new Set([sizes.full, sizes.rest, sizes.evaluated])) {
      if (size === 0) continue;
      const isTraining = size === sizes.full || size === sizes.rest;
      const watch: OpWatcher = (record, plan, _inputs, _options, origin) => {
        const layer = `${origin ?? 'the images'} (${record.name})`;
        expectBindable(classifier, layer, size, plan);
        const values = sizeOf(plan.shape) / plan.shape.at(-1)!;
        if (!isTraining || record.name !== 'batchNorm' || values > 1) return;
        if (isTrained(modules.get(origin) ?? model)) throw singleValues(layer, size, sizes);
      };
      watchOps(watch, () =>
        runInScope(() => planOnly(() => classifier.logits(images(classifier, size)))),
      );
    }
  } finally {
    restore();
  }
}

/**
 * Goes through a network by shapes alone: whether it takes the images and gives one logit for each
 * class, or more.
 *
 * Errors: ShapeError naming both shapes.
 */
export function checkOutputs(
  where: string,
  classifier: Classifier,
  { name, classNames }: { name: string; classNames: readonly string[] },
  isExact: boolean,
): void {
  const { model, imageShape } = classifier;
  let shape: readonly number[];
  const restore = evaluationMode(model);
  try {
    shape = runInScope(() => planOnly(() => classifier.logits(images(classifier, 1)).shape));
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    throw new ShapeError(
      `${where}: the network does not take images of ${imageShape.join('×')} (${name}): ${cause.message.split('\n')[0]}`,
      `build it for ${imageShape.join('×')} (height × width × channels), or bring the images to what it takes`,
    );
  } finally {
    restore();
  }
  const outputs = shape.at(-1)!;
  const classes = classNames.length;
  if (shape.length === 2 && (isExact ? outputs === classes : outputs >= classes)) return;
  throw new ShapeError(
    `${where}: the network (${model.constructor.name}) gives [N=1${shape
      .slice(1)
      .map((n) => `, ${n}`)
      .join('')}], expected ` +
      `[N=1, K=${classes}]: one logit for each of the ${classes} classes of ${name}`,
    `build it with ${classes} outputs, or use data with its classes`,
  );
}

/** A batch of packed images that is nowhere in memory. */
function images({ device, sourceShape }: Classifier, size: number): Tensor {
  return Tensor.own(device.runtime, plannedArray([size * sizeOf(sourceShape)], 'u8'));
}

function expectBindable(
  { device }: Classifier,
  layer: string,
  batchSize: number,
  { shape, dtype }: { shape: readonly number[]; dtype: keyof typeof bytesPerElement },
): void {
  const { maxStorageBufferBindingSize, maxBufferSize } = device.runtime.device.limits;
  const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize);
  const bytes = sizeOf(shape) * bytesPerElement[dtype];
  if (bytes <= limit) return;
  const most = Math.floor((limit / bytes) * batchSize);
  throw new LimitError(
    `${trainerName()}: the output of ${layer}, [${shape.join(', ')}], is more than this adapter can bind at once`,
    limit < maxStorageBufferBindingSize ? 'maxBufferSize' : 'maxStorageBufferBindingSize',
    bytes,
    limit,
    most > 0
      ? `lower ${optionName('batchSize')}, here to at most ${most}, or ${optionName('input')}`
      : `lower ${optionName('input')}`,
  );
}

function singleValues(layer: string, size: number, { full, rest }: BatchSizes): TrainingError {
  const isLast = size === rest && full > rest;
  const what = isLast ? `the last batch has ${rest} image` : `a batch has ${size} image`;
  return new TrainingError(
    `${trainerName()}: ${what}, of which ${layer} gets one value a channel: it normalises by the batch, so it needs 2`,
    isLast
      ? `leave that batch out with ${optionName('dropLast')}, or choose another ${optionName('batchSize')} than ${full}`
      : `raise ${optionName('batchSize')}, or give larger images (${optionName('input')})`,
  );
}
