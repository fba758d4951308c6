import type { Device } from '../device.js';
import type { DispatchTiming } from '../gpu/profiler.js';
import { median } from '../gpu/timing.js';
import type { TunedKernel } from '../kernels/tune_report.js';
import { createModel, publishedOptions } from '../models/index.js';
import { softmaxCrossEntropy } from '../ops/loss.js';
import { createOptimizer } from '../optim/index.js';
import type { Tensor } from '../tensor.js';
import { Classifier } from '../train/classifier.js';
import { recipes, recipeSettings } from '../train/recipes.js';
import { defaultSettings } from '../train/settings.js';
import { tuneModel } from '../train/tune_model.js';
import { ratesOf } from './numbers.js';
import { parseShape } from './shapes.js';
import type { BenchRequest, BenchRow, Peak, ProfileRow, TrainingRow } from './types.js';

const BUDGET_MS = 4000;
/** As the trainer does: one step more may be on its way while the next is recorded. */
const STEPS_IN_FLIGHT = 2;

export interface TrainingMeasurement {
  rows: BenchRow[];
  training: TrainingRow;
  profile?: ProfileRow[];
  tuning?: TunedKernel[];
}

/**
 * Whole training steps of a network on random images: the first one with all its compiling, then
 * captured ones as the trainer runs them, then one with every dispatch timed.
 */
export async function measureTraining(
  device: Device,
  request: BenchRequest,
  peak: Peak,
  say: (text: string) => void,
): Promise<TrainingMeasurement> {
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
  const { runtime } = device;
  const dtype = request.dtype ?? 'f32';
  const tuning = request.tune
    ? await tuneModel(device, { model: name, imageShape: input, classes, batchSize, dtype }, say)
    : null;
  const model = createModel(device, name, { input, classes });
  const optimizer = createOptimizer(settings.optimizer, model.namedParameters(), {
    lr: settings.lr,
  });
  const classifier = new Classifier(device, model, { imageShape: input, dtype });
  const step = device.capture<[Uint8Array, Int32Array], Tensor>((images, labels) => {
    const loss = softmaxCrossEntropy(classifier.logits(images), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  });
  try {
    model.train();
    say(`train ${name}: the first step`);
    const batch = randomBatch(batchSize, height * width * channels, classes);
    const start = performance.now();
    step(batch.images, batch.labels);
    await device.sync();
    const firstStepMs = performance.now() - start;
    say(`train ${name}: captured steps of ${batchSize} images`);
    const { stepMs, runs } = await measureSteps(device, () => step(batch.images, batch.labels));
    const timings = runtime.hasTimestamps
      ? await runtime.profile(() => void step(batch.images, batch.labels))
      : null;
    const parameters = [...model.parameters()].reduce((sum, { size }) => sum + size, 0);
    const training = {
      ...{ model: name, parameters, batchSize, input, firstStepMs, stepMs },
      imagesPerSecond: (1000 * batchSize) / stepMs,
    };
    const shape = [batchSize, ...input, classes].join();
    const cost = timings ? costOf(timings) : null;
    const rates = cost
      ? ratesOf(stepMs, cost, peak)
      : { ms: stepMs, gflops: null, gbps: null, percentOfPeak: null };
    const row: BenchRow = {
      ...{ op: 'train', shape, direction: 'step', variant: name, dtype },
      ...rates,
      ...{ ratioToBest: null, engine: 'tilegrad', isChosen: true, runs },
      note: 'wall clock of captured steps',
    };
    return {
      ...{ rows: [row], training },
      ...(timings ? { profile: profileOf(timings) } : {}),
      ...(tuning ? { tuning: tuning.kernels } : {}),
    };
  } finally {
    step.dispose();
    optimizer.dispose();
    model.dispose();
  }
}

/** Milliseconds a step when steps follow each other without a pause: the median of three parts. */
async function measureSteps(
  device: Device,
  step: () => void,
): Promise<{ stepMs: number; runs: number }> {
  const run = async (count: number): Promise<number> => {
    const start = performance.now();
    const flying: Promise<void>[] = [];
    for (let i = 0; i < count; i++) {
      step();
      device.runtime.flush();
      flying.push(device.runtime.submittedDone());
      if (flying.length > STEPS_IN_FLIGHT) await flying.shift();
    }
    await Promise.all(flying);
    await device.sync();
    return (performance.now() - start) / count;
  };
  const once = await run(1);
  const count = Math.max(2, Math.min(100, Math.ceil(BUDGET_MS / 3 / once)));
  const samples = [await run(count), await run(count), await run(count)];
  return { stepMs: median(samples), runs: 3 * count };
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

function costOf(timings: readonly DispatchTiming[]): { flops: number; bytes: number } {
  return {
    flops: timings.reduce((sum, { flops }) => sum + flops, 0),
    bytes: timings.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Dispatches summed by op and shader, the most expensive first. */
export function profileOf(timings: readonly DispatchTiming[]): ProfileRow[] {
  const total = timings.reduce((sum, { ms }) => sum + ms, 0);
  const rows = new Map<string, ProfileRow & { flops: number }>();
  for (const { op, shader, ms, flops } of timings) {
    const key = `${op} ${shader}`;
    const row = rows.get(key) ?? {
      ...{ op, shader, count: 0, ms: 0, percentOfStep: 0, gflops: 0, flops: 0 },
    };
    row.count++;
    row.ms += ms;
    row.flops += flops;
    rows.set(key, row);
  }
  return [...rows.values()]
    .sort((a, b) => b.ms - a.ms)
    .map(({ flops, ...row }) => ({
      ...row,
      percentOfStep: total > 0 ? (100 * row.ms) / total : 0,
      gflops: row.ms > 0 ? flops / row.ms / 1e6 : 0,
    }));
}
