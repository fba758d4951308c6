/**
 * What the texts inside a checkpoint, and `config.json`, must be. They are read by others than the run
 * that wrote them, perhaps years later or from a stranger, so nothing of them is believed unchecked.
 */
import { UsageError } from '../errors.js';
import {
  finite,
  finiteFrom,
  list,
  Mismatch,
  nullable,
  object,
  optional,
  record,
  satisfying,
  text,
  wholeFrom,
  type Schema,
} from '../io/schema.js';
import type { LossScaleState, PlateauState } from '../optim/index.js';
import type { Progress } from './checkpoint.js';
import type { EpochMetrics, ValidationMetrics } from './history.js';
import type { ModelConfig, RunConfig } from './run_config.js';
import { settings, type Setting, type Settings } from './settings.js';

/** Height, width and channels of an image: what a file may ask for, 8192 × 8192 pixels at most. */
const LARGEST_SIDE = 65_535;
const LARGEST_PIXELS = 2 ** 26;
export const imageShapeSchema = satisfying(
  `[height, width, channels] of at most ${LARGEST_PIXELS} pixels and 1 or 3 channels`,
  (value): value is [number, number, number] => {
    if (!Array.isArray(value) || value.length !== 3) return false;
    const [height, width, channels] = value as unknown[];
    const isSide = (side: unknown): side is number =>
      Number.isSafeInteger(side) && (side as number) >= 1 && (side as number) <= LARGEST_SIDE;
    if (!isSide(height) || !isSide(width)) return false;
    return height * width <= LARGEST_PIXELS && (channels === 1 || channels === 3);
  },
);

/** A number that was not finite when it was written came as null. */
const figure = nullable(finite) as Schema<number>;
const seconds = finiteFrom(0);

const epochMetrics = object<EpochMetrics>({
  ...{ epoch: wholeFrom(0), loss: figure, accuracy: figure, valLoss: figure, valAccuracy: figure },
  ...{ learningRate: figure, seconds: figure, imagesPerSecond: figure, inputSeconds: figure },
});
const validationMetrics = object<ValidationMetrics>({
  ...{ step: wholeFrom(0), epoch: finiteFrom(0), valLoss: figure, valAccuracy: figure },
});
const plateau = object<PlateauState>({
  ...{ lr: finiteFrom(0), best: nullable(finite), waited: wholeFrom(0), cooling: wholeFrom(0) },
});
const lossScale = object<LossScaleState>({
  ...{ scale: finiteFrom(0), goodSteps: wholeFrom(0), skippedSteps: wholeFrom(0) },
  steps: wholeFrom(0),
});

export const progressSchema = object<Progress>({
  ...{ epoch: wholeFrom(0), batch: wholeFrom(0), step: wholeFrom(0) },
  totals: object({ lossSum: finite, correct: finiteFrom(0), count: wholeFrom(0) }),
  ...{ epochSeconds: seconds, inputSeconds: seconds, randomPosition: wholeFrom(0) },
  ...{ plateau: nullable(plateau), lossScale: nullable(lossScale) },
  ...{ history: list(epochMetrics), validations: list(validationMetrics) },
});

/** The optimizer's scalars. */
export const scalarsSchema = record(finite);

/** A setting as the command line would take it. */
function settingSchema<K extends keyof Settings>(key: K): Schema<Settings[K]> {
  const setting = settings.find((candidate) => candidate.key === key) as unknown as Setting<K>;
  return (value, field) => {
    if (value === null && setting.isOptional) return null as Settings[K];
    try {
      if (setting.kind.accepts(value)) return value;
    } catch (cause) {
      if (!(cause instanceof UsageError)) throw cause;
    }
    throw new Mismatch(field, setting.kind.expected, value);
  };
}

export const classNamesSchema: Schema<string[]> = (value, field) => {
  const names = list(text)(value, field);
  if (names.length > 0) return names;
  throw new Mismatch(field, 'the names of the classes', value);
};

/** Images are enlarged on their way from `sourceShape` to `imageShape`, never made smaller. */
function fitting<T extends Pick<ModelConfig, 'imageShape' | 'sourceShape'>>(
  schema: Schema<T>,
): Schema<T> {
  return (value, field) => {
    const config = schema(value, field);
    const { imageShape: image, sourceShape: source = image } = config;
    if (source[0] <= image[0] && source[1] <= image[1] && source[2] === image[2]) return config;
    const name = field === '' ? 'sourceShape' : `${field}.sourceShape`;
    const expected = `at most the network's ${image.join(' × ')} with as many channels`;
    throw new Mismatch(name, expected, source);
  };
}

const modelFields = {
  ...{ model: settingSchema('model'), imageShape: imageShapeSchema, classNames: classNamesSchema },
} satisfies Partial<Record<keyof ModelConfig, unknown>>;

/** What is needed to evaluate a checkpoint of any version. */
export const modelConfigSchema: Schema<ModelConfig> = fitting(
  object<ModelConfig>({
    ...modelFields,
    ...{ sourceShape: optional(imageShapeSchema), dtype: optional(settingSchema('dtype')) },
    ...{ normalize: optional(settingSchema('normalize')), crop: optional(settingSchema('crop')) },
    minImages: optional(settingSchema('minImages')),
    shortcut: optional(settingSchema('shortcut')),
  }),
);

const settingFields = Object.fromEntries(
  settings.map(({ key }) => [key, settingSchema(key)]),
) as unknown as { [K in keyof Settings]: Schema<Settings[K]> };

/** The whole config of a run of this version. */
export const runConfigSchema: Schema<RunConfig> = fitting(
  object<RunConfig>({
    ...settingFields,
    ...{ recipe: text, data: text, ...modelFields, sourceShape: imageShapeSchema },
    variants: optional(record(text)),
  }),
);
