import type { Device } from '../device.js';
import type { TunedKernel } from '../kernels/tune_report.js';
import { createModel, publishedOptions } from '../models/index.js';
import { Dropout, type Module } from '../nn/index.js';
import { softmaxCrossEntropy } from '../ops/loss.js';
import { createOptimizer } from '../optim/index.js';
import type { Tensor } from '../tensor.js';
import { Classifier } from '../train/classifier.js';
import { recipes, recipeSettings } from '../train/recipes.js';
import { defaultSettings, type Settings } from '../train/settings.js';
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
  settings: Pick<Settings, 'optimizer' | 'lr'>;
  /** Off beside other engines: each would drop other values. */
  hasDropout: boolean;
}

/** A step with what it holds on the device. */
export interface TrainingProgram extends SteppedProgram {
  model: Module;
  parameters: number;
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
  const input = [height, width, channels] as const;
  const { dtype = 'f32', against } = request;
  return { name, batchSize, input, classes, dtype, settings, hasDropout: against === undefined };
}

export async function tunePlan(
  device: Device,
  { name, input, classes, batchSize, dtype }: TrainingPlan,
  say: (text: string) => void,
): Promise<TunedKernel[]> {
  const wanted = { model: name, imageShape: input, classes, batchSize, dtype };
  return (await tuneModel(device, wanted, say)).kernels;
}

export function openProgram(device: Device, plan: TrainingPlan): TrainingProgram {
  const { name, batchSize, input, classes, dtype, settings, hasDropout } = plan;
  const model = createModel(device, name, { input, classes });
  const optimizer = createOptimizer(settings.optimizer, model.namedParameters(), {
    lr: settings.lr,
  });
  const classifier = new Classifier(device, model, { imageShape: input, dtype });
  const run = (images: Tensor, labels: Tensor): Tensor => {
    const loss = softmaxCrossEntropy(classifier.logits(images), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  const captured = device.capture<[Uint8Array, Int32Array], Tensor>(run);
  const { images, labels } = randomBatch(batchSize, input[0] * input[1] * input[2], classes);
  model.train();
  if (!hasDropout) {
    for (const [, module] of model.namedModules()) if (module instanceof Dropout) module.eval();
  }
  return {
    model,
    captured: () => void captured(images, labels),
    loss: () => captured(images, labels).item(),
    plain: () => void run(device.tensor(images), device.tensor(labels)),
    inputs: [images, labels],
    parameters: [...model.parameters()].reduce((sum, { size }) => sum + size, 0),
    dispose: () => {
      captured.dispose();
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
    images: Uint8Array.from({ length: count * pixels }, () => next() & 255),
    labels: Int32Array.from({ length: count }, () => next() % classes),
  };
}
