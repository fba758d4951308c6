import type { Device } from '../device.js';
import { figuresOf, type TuningFigures } from '../tune/report.js';
import { createModel, publishedOptions } from '../models/index.js';
import { Dropout, recomputeSegments, type Module } from '../nn/index.js';
import type { LossScaleState } from '../optim/index.js';
import { Classifier } from '../train/classifier.js';
import { makeOptimizer } from '../train/parameter_groups.js';
import { recipes, recipeSettings } from '../train/recipes.js';
import { defaultSettings, type Settings } from '../train/settings.js';
import { TrainingStep } from '../train/training_step.js';
import { tuneModel } from '../train/tune_model.js';
import type { SteppedProgram } from './profile_step.js';
import { parseShape } from './shapes.js';
import type { BenchRequest } from './types.js';

/** What is trained: a network, its images and its optimizer. */
export interface TrainingPlan {
  name: string;
  batchSize: number;
  /** Height, width, channels. */
  input: readonly [number, number, number];
  classes: number;
  dtype: 'f32' | 'f16';
  recompute: boolean;
  /** What the recipe says of the step: its loss, its optimizer. */
  settings: Settings;
  /** Off beside other engines: each would drop other values. */
  hasDropout: boolean;
}

/** A step with what it holds on the device. */
export interface TrainingProgram extends SteppedProgram {
  model: Module;
  parameters: number;
  /** Segments that backward runs again, by name. */
  segments: string[];
  /** Where the loss scale stands; null in full precision. */
  lossScale(): Promise<LossScaleState | null>;
  /** Runs a captured step; its loss is that of the parameters before it. */
  loss(): Promise<number>;
  dispose(): void;
}

/** The model that `--suite` names, by its recipe where it has one, in the shape asked for. */
export function planOf(request: BenchRequest): TrainingPlan {
  const name = request.suite ?? 'mnist-cnn';
  const recipe = recipes.find(({ settings }) => settings.model === name);
  const settings = recipe ? recipeSettings(recipe) : defaultSettings();
  const published = publishedOptions(name);
  const usual = [
    settings.batchSize,
    ...(settings.input ?? (name === 'mlp' ? published.input : [32, 32, 3])),
    published.classes,
  ];
  const [batchSize, height, width, channels, classes] = request.shape
    ? parseShape('train', request.shape)
    : usual;
  const { dtype = 'f32', recompute = false, against } = request;
  const stepSettings = { ...settings, batchSize, dtype, recompute };
  return {
    ...{ name, batchSize, input: [height, width, channels], classes, dtype, recompute },
    settings: against ? withoutExtras(stepSettings) : stepSettings,
    hasDropout: against === undefined,
  };
}

/** What every engine does alike: the bare loss and the bare rule of the optimizer. */
function withoutExtras(settings: Settings): Settings {
  return {
    ...settings,
    ...{ l2: 0, weightDecay: 0, labelSmoothing: 0, clipNorm: null, lossReduction: 'mean' },
    ...{ nesterov: null, momentum: settings.optimizer === 'sgd' ? 0.9 : null },
  };
}

/** Null if tuning is switched off. */
export async function tunePlan(
  device: Device,
  { name, input, classes, batchSize, dtype }: TrainingPlan,
  say: (text: string) => void,
): Promise<TuningFigures | null> {
  const wanted = { model: name, imageShape: input, classes, batchSize, dtype };
  return figuresOf(await tuneModel(device, wanted, say));
}

/** Builds the network and its step as `tilegrad train` does. */
export function openProgram(device: Device, plan: TrainingPlan): TrainingProgram {
  const { name, batchSize, input, classes, dtype, settings, hasDropout } = plan;
  const model = createModel(device, name, { input, classes });
  const segments = plan.recompute ? recomputeSegments(model, input) : [];
  const optimizer = makeOptimizer(model, settings);
  const classifier = new Classifier(device, model, { imageShape: input, dtype });
  const step = new TrainingStep(classifier, optimizer, settings, true);
  step.reset({ lossSum: 0, correct: 0, count: 0, steps: 0 });
  const batch = randomBatch(batchSize, input[0] * input[1] * input[2], classes);
  model.train();
  if (!hasDropout) {
    for (const [, module] of model.namedModules()) if (module instanceof Dropout) module.eval();
  }
  return {
    model,
    captured: () => step.run(batch),
    loss: async () => {
      step.reset({ lossSum: 0, correct: 0, count: 0, steps: 0 });
      step.run(batch);
      const { lossSum, count } = await step.read();
      return lossSum / count;
    },
    plain: () => step.runPlain(batch),
    inputs: [batch.images, batch.labels],
    parameters: [...model.parameters()].reduce((sum, { size }) => sum + size, 0),
    segments,
    lossScale: async () => (await optimizer.scaler?.read())?.state ?? null,
    dispose: () => {
      step.dispose();
      optimizer.dispose();
      model.dispose();
    },
  };
}

function randomBatch(count: number, pixels: number, classes: number) {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
  return {
    size: count,
    images: Uint8Array.from({ length: count * pixels }, () => next() & 255),
    labels: Int32Array.from({ length: count }, () => next() % classes),
  };
}
