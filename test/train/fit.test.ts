import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryDataset, type ImageDataset } from '../../src/data/index.js';
import { createDevice, type Device } from '../../src/device.js';
import {
  Callback,
  CallbackError,
  checkpoint,
  earlyStopping,
  evaluate,
  fit,
  predict,
  progress,
  reduceOnPlateau,
  tensorBoard,
  type FitOptions,
  type StepMetrics,
} from '../../src/entries/train.js';
import {
  DataError,
  ShapeError,
  type TilegradError,
  TrainingError,
  UsageError,
} from '../../src/errors.js';
import { BatchNorm2d, Conv2d, Dense, Flatten, Sequential } from '../../src/nn/index.js';
import { sum } from '../../src/ops/reduce.js';
import { Adam, SGD, schedule } from '../../src/optim/index.js';
import { quarters, temporaryFolder, tinyModel } from './helpers.js';

const folders: string[] = [];
function folder(): string {
  folders.push(temporaryFolder());
  return folders.at(-1)!;
}
const devices: Device[] = [];
afterAll(() => {
  for (const device of devices) device.destroy();
  for (const made of folders) rmSync(made, { recursive: true });
});

/** A network on a device of its own, whose random draws begin anew. */
async function network(): Promise<Sequential> {
  const device = await createDevice({ seed: 3 });
  devices.push(device);
  return tinyModel(device);
}

async function weightsOf(model: Sequential): Promise<number[]> {
  const values: number[] = [];
  for (const tensor of model.stateDict().values()) values.push(...(await tensor.data()));
  return values;
}

const [images, held] = [quarters(72, 1), quarters(40, 2)];
const data = { train: images, validation: held };
const small: FitOptions = { optimizer: 'adam', lr: 1e-2, epochs: 2, batchSize: 16, seed: 3 };

/** Writes down what is called. */
class Diary extends Callback {
  readonly lines: string[] = [];
  readonly steps: StepMetrics[] = [];

  override onBegin(): void {
    this.lines.push('begin');
  }

  override async onStep(step: StepMetrics): Promise<void> {
    await Promise.resolve();
    this.steps.push(step);
    this.lines.push(`step ${step.step}`);
  }

  override onValidation({ step, isWithinEpoch }: { step: number; isWithinEpoch: boolean }): void {
    this.lines.push(`validation ${step}${isWithinEpoch ? ' within' : ''}`);
  }

  override onEpoch({ epoch }: { epoch: number }): void {
    this.lines.push(`epoch ${epoch}`);
  }

  override onEnd(end: string): void {
    this.lines.push(end);
  }
}

describe('fit', () => {
  it('learns, and returns a row for each epoch and how the network does', async () => {
    const model = await network();
    const history = await fit(model, { ...data, test: quarters(20, 5) }, { ...small, epochs: 3 });
    expect(history).toMatchObject({ end: 'done', steps: 15, validations: [] });
    expect(history.epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(history.epochs[2].loss).toBeLessThan(history.epochs[0].loss);
    expect(history.validation!.accuracy).toBe(history.epochs[2].valAccuracy);
    expect(history.validation!.accuracy).toBeGreaterThan(0.9);
    expect(history.test!.predictions).toHaveLength(20);
    expect(model.isTraining).toBe(false);
  });

  it('takes a dataset alone, whose epochs are judged by their training', async () => {
    const out = folder();
    const { epochs, validation, test } = await fit(await network(), images, { ...small, out });
    expect([validation, test]).toEqual([null, null]);
    expect(epochs.map(({ valLoss, valAccuracy }) => [valLoss, valAccuracy])).toEqual([
      [null, null],
      [null, null],
    ]);
    const [, row] = readFileSync(join(out, 'metrics.csv'), 'utf8').split('\n');
    expect(row.split(',').slice(3, 5)).toEqual(['', '']);
    expect(readdirSync(out).sort()).toEqual([
      'best.safetensors',
      'last.safetensors',
      'metrics.csv',
    ]);
  });

  it('gives the same numbers by a name, an optimizer, with and without capture', async () => {
    const [named, made, plain] = [await network(), await network(), await network()];
    await fit(named, data, small);
    const optimizer = new Adam(made.namedParameters(), { lr: 1e-2 });
    await fit(made, data, { ...small, lr: null, optimizer });
    await fit(plain, data, { ...small, capture: false });
    const weights = await weightsOf(named);
    expect(await weightsOf(made)).toEqual(weights);
    expect(await weightsOf(plain)).toEqual(weights);
    // The optimizer is the caller's: it goes on.
    made.train();
    const x = made.call(devices.at(-2)!.ones([2, 8, 8, 1]));
    optimizer.zeroGrad();
    sum(x).backward();
    optimizer.step();
    expect(await weightsOf(made)).not.toEqual(weights);
  });

  it('weighs classes, reduces by a sum, and follows a schedule', async () => {
    const rates: number[] = [];
    const onStep = ({ learningRate }: StepMetrics) => rates.push(learningRate);
    const cosine = schedule.cosine(1e-2, { total: 10 });
    await fit(await network(), data, { ...small, schedule: cosine, callbacks: [{ onStep }] });
    expect(rates).toEqual(Array.from({ length: 10 }, (_, step) => cosine(step)));
    // A class that does not count is not learned.
    const options = { ...small, epochs: 4 };
    const all = await fit(await network(), data, options);
    const three = await fit(await network(), data, { ...options, classWeights: [1, 1, 1, 0] });
    const found = ({ validation }: typeof all, label: number) =>
      validation!.predictions.filter((k) => k === label).length;
    expect(found(all, 3)).toBeGreaterThan(5);
    expect(found(three, 3)).toBe(0);
  });
});

describe('callbacks', () => {
  it('are called in order: every step, validations, epochs, the end', async () => {
    const diary = new Diary();
    const options = { ...small, validateEvery: 4, callbacks: [diary] };
    const { epochs } = await fit(await network(), data, options);
    const steps = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, i) => `step ${from + i}`);
    expect(diary.lines).toEqual([
      ...['begin', ...steps(1, 4), 'validation 4 within', 'step 5', 'validation 5', 'epoch 1'],
      ...[...steps(6, 8), 'validation 8 within', ...steps(9, 10), 'validation 10', 'epoch 2'],
      'done',
    ]);
    // Four full batches and one of 8 images.
    for (const [e, { loss }] of epochs.entries()) {
      const of = diary.steps.filter(({ epoch }) => epoch === e + 1);
      const weighted = of.reduce((total, step, i) => total + step.loss * (i === 4 ? 8 : 16), 0);
      expect(weighted / 72).toBeCloseTo(loss, 5);
    }
  });

  it('change no number, those that are built in neither', async () => {
    const [plain, watched] = [await network(), await network()];
    const where = folder();
    let text = '';
    const stream = {
      isTTY: false as const,
      columns: 80,
      write: (chunk: string) => (text += chunk),
    };
    await fit(plain, data, small);
    await fit(watched, data, {
      ...small,
      validateEvery: 3,
      callbacks: [
        progress({ stream }),
        tensorBoard({ folder: join(where, 'events') }),
        checkpoint({ folder: where }),
        earlyStopping({ patience: 9, by: 'accuracy' }),
        new Diary(),
      ],
    });
    expect(await weightsOf(watched)).toEqual(await weightsOf(plain));
    expect(text).toMatch(/^epoch 1\/2 {2}loss .+\nepoch 2\/2 .+ val acc .+\n$/);
    expect(readdirSync(join(where, 'events'))).toEqual([
      'train',
      'validation',
      'validation-by-step',
    ]);
    expect(existsSync(join(where, 'best.safetensors'))).toBe(true);
  });

  it('stop a run', async () => {
    const stopping: Callback = { onEpoch: ({ epoch }, run) => epoch === 1 && run.stop() };
    const stopped = await fit(await network(), data, { ...small, callbacks: [stopping] });
    expect(stopped).toMatchObject({ end: 'stopped', steps: 5 });
    const callbacks = [earlyStopping({ patience: 2 })];
    const stale = { ...small, lr: 1e-30, epochs: 9, callbacks };
    expect(await fit(await network(), data, stale)).toMatchObject({ end: 'no better', steps: 15 });
  });

  it('lower the rate on a plateau, as the schedule of that name and a Plateau do', async () => {
    const options = { ...small, lr: 1e-30, epochs: 4 };
    const ratesOf = async (more: FitOptions) => {
      const { epochs } = await fit(await network(), data, { ...options, ...more });
      return epochs.map(({ learningRate }) => learningRate);
    };
    const wanted = [1e-30, 1e-30, 5e-31, 2.5e-31];
    const rule = { factor: 0.5, patience: 0 };
    expect(await ratesOf({ callbacks: [reduceOnPlateau(rule)] })).toEqual(wanted);
    expect(await ratesOf({ schedule: 'plateau:0.5,0' })).toEqual(wanted);
    expect(await ratesOf({ schedule: schedule.reduceOnPlateau(1e-30, rule) })).toEqual(wanted);
  });

  it('that throw are named, and the run is saved', async () => {
    class Moody extends Callback {
      override async onStep({ step }: StepMetrics): Promise<void> {
        await Promise.resolve();
        if (step === 3) throw new RangeError('no more of this');
      }
    }
    const out = folder();
    const cause = await fit(await network(), data, {
      ...{ ...small, validateEvery: 4, out, callbacks: [new Moody()] },
    }).catch((error: unknown) => error);
    expect(cause).toBeInstanceOf(CallbackError);
    expect(cause).toMatchObject({
      ...{ callback: 'Moody', hook: 'onStep', cause: expect.any(RangeError) as unknown },
      message:
        'fit: Moody.onStep failed: no more of this\n' +
        'fix: the run is saved: mend the callback, then continue with resume: true',
    });
    const [broken, unbroken] = [await network(), await network()];
    await fit(broken, data, { ...small, out, resume: true });
    await fit(unbroken, data, small);
    expect(await weightsOf(broken)).toEqual(await weightsOf(unbroken));
  });

  it.each(['onBegin', 'onProgress', 'onValidation', 'onEpoch', 'onEnd'] as const)(
    'that throw in %s fail too, by their place in the list',
    async (hook) => {
      const out = folder();
      const callbacks = [
        new Diary(),
        {
          [hook]: () => {
            throw new ShapeError('a: b', 'c');
          },
        },
      ];
      const failing = fit(await network(), data, { ...small, epochs: 1, out, callbacks });
      await expect(failing).rejects.toThrow(`fit: callbacks[1].${hook} failed: a: b`);
      await expect(failing).rejects.toBeInstanceOf(CallbackError);
      expect(existsSync(join(out, 'last.safetensors'))).toBe(hook !== 'onBegin');
    },
  );
});

describe('a run folder', () => {
  let unbroken: number[];
  beforeAll(async () => {
    const model = await network();
    await fit(model, data, small);
    unbroken = await weightsOf(model);
  });

  it('lets a run that was stopped go on with the same bits', async () => {
    const out = folder();
    const stop = new AbortController();
    const onStep = ({ step }: StepMetrics) => step === 4 && stop.abort();
    const options = { ...small, out, resume: true };
    const first = await fit(await network(), data, {
      ...{ ...options, validateEvery: 4, signal: stop.signal, callbacks: [{ onStep }] },
    });
    expect(first).toMatchObject({ end: 'interrupted', steps: 4, validation: null });
    const model = await network();
    const second = await fit(model, data, options);
    expect(second).toMatchObject({ end: 'done', steps: 10 });
    expect(await weightsOf(model)).toEqual(unbroken);
    // Nothing is left to do.
    const third = await fit(await network(), data, options);
    expect(third.epochs).toEqual(second.epochs);
    expect(third.validation).toEqual(second.validation);
  });

  it('does nothing where it is told to stop before it begins', async () => {
    const history = await fit(await network(), data, { ...small, signal: AbortSignal.abort() });
    expect(history).toMatchObject({ end: 'interrupted', steps: 0, epochs: [] });
  });

  it('is not written over, nor gone on with by another run', async () => {
    const out = folder();
    await fit(await network(), data, { ...small, epochs: 1, out });
    const before = readFileSync(join(out, 'last.safetensors'));
    const again = (more: FitOptions, other: typeof data = data) =>
      network().then((model) => fit(model, other, { ...small, out, ...more }));
    await expect(again({})).rejects.toThrow(
      /holds a run already\nfix: continue it with resume: true/,
    );
    const resume = true;
    await expect(again({ resume, batchSize: 8 })).rejects.toThrow(
      /was trained with batchSize: 16, not 8\nfix: pass batchSize: 16, or choose another out$/,
    );
    await expect(again({ resume }, { ...data, train: quarters(40, 1) })).rejects.toThrow(
      'it had 5 steps an epoch, not 3',
    );
    await expect(again({ resume, optimizer: 'sgd' })).rejects.toThrow(ShapeError);
    expect(readFileSync(join(out, 'last.safetensors')).equals(before)).toBe(true);
    await expect(fit(await network(), data, { ...small, resume })).rejects.toThrow('pass out');
  });
});

describe('bad input', () => {
  const dataset = (
    changes: Partial<ConstructorParameters<typeof MemoryDataset>[0]>,
  ): ImageDataset => new MemoryDataset({ ...images, images: images.images, ...changes });
  const none = dataset({ labels: new Int32Array(0), images: new Uint8Array(0) });
  const five = dataset({ classNames: ['a', 'b', 'c', 'd', 'e'] });
  const colour = dataset({ imageShape: [8, 8, 3], images: new Uint8Array(72 * 192) });

  it.each<[string, typeof TilegradError, unknown, object, RegExp]>([
    [
      'another shape',
      ShapeError,
      { train: colour },
      {},
      /^fit: the network does not take images of 8×8×3 \(quarters\): conv2d: w has 1 input channels but x has 3 .*\nfix: build it for 8×8×3/,
    ],
    [
      'other classes',
      ShapeError,
      { train: five },
      {},
      /gives \[N=1, 4\], expected \[N=1, K=5\]: one logit for each of the 5 classes of quarters\nfix: build it with 5 outputs/,
    ],
    ['no image', DataError, none, {}, /^fit: quarters has no images$/],
    [
      'no validation image',
      DataError,
      { train: images, validation: none },
      {},
      /^fit: quarters has no images$/,
    ],
    [
      'a validation of another shape',
      DataError,
      { train: images, validation: colour },
      {},
      /images of 8×8×3/,
    ],
    [
      'a validation of other classes',
      DataError,
      { train: images, validation: five },
      {},
      /^fit: quarters has 5 classes, quarters 4\n/,
    ],
    ['no data', UsageError, undefined, {}, /^fit: expected a dataset, or \{ train/],
    [
      'data without a part to train on',
      UsageError,
      { test: images },
      {},
      /^fit: the data have no part train\n/,
    ],
    [
      'a batch of 0',
      UsageError,
      images,
      { batchSize: 0 },
      /^fit: batchSize: expected a positive whole number, got 0$/,
    ],
    ['a batch of NaN', UsageError, images, { batchSize: NaN }, /got NaN$/],
    [
      '0 epochs',
      UsageError,
      images,
      { epochs: 0 },
      /^fit: epochs: expected a positive whole number, got 0$/,
    ],
    [
      'a batch that is never full',
      TrainingError,
      images,
      { batchSize: 80, dropLast: true },
      /do not fill one batch of 80.*\nfix: lower batchSize to at most 72/,
    ],
    [
      'a misspelt option',
      UsageError,
      images,
      { batchsize: 4 },
      /^fit: no option named "batchsize"\nfix: did you mean "batchSize"\?$/,
    ],
    ['an unknown optimizer', UsageError, images, { optimizer: 'adm' }, /no optimizer named "adm"/],
    ['an unknown schedule', UsageError, images, { schedule: 'cosin' }, /no schedule named "cosin"/],
    [
      'two rules for the rate',
      UsageError,
      images,
      { schedule: 'cosine', callbacks: [reduceOnPlateau()] },
      /^fit: reduceOnPlateau, beside a schedule\n/,
    ],
    [
      'too few weights of classes',
      ShapeError,
      images,
      { classWeights: [1, 2] },
      /^fit: classWeights: expected \[K=4\], a factor for each class, got \[2\]$/,
    ],
    [
      'means of other channels',
      UsageError,
      images,
      { normalize: 'imagenet' },
      /^fit: normalize imagenet is for 3 channels, the images have 1\n/,
    ],
    [
      'a smaller input',
      UsageError,
      images,
      { input: [4, 4, 1] },
      /^fit: input: images of 8×8×1 can be enlarged.*not brought to 4×4×1\n/,
    ],
    [
      'an unknown parameter',
      UsageError,
      images,
      { freeze: ['fc'] },
      /^fit: freeze fc: no parameter has such a name\n/,
    ],
    [
      'a callback that was not called',
      UsageError,
      images,
      { callbacks: [checkpoint] },
      /^fit: callbacks\[0\] must have one of onBegin.*, got the function checkpoint\nfix: call it/,
    ],
    [
      'a checkpoint without a folder',
      UsageError,
      images,
      { callbacks: [checkpoint()] },
      /^checkpoint: expected a folder/,
    ],
  ])(
    '%s is one clear error before the first step',
    async (_what, kind, given, options, message) => {
      const model = await network();
      const before = await weightsOf(model);
      const error: unknown = await fit(model, given as never, { ...small, ...options }).catch(
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(kind);
      expect((error as Error).message).toMatch(message);
      expect(await weightsOf(model)).toEqual(before);
    },
  );

  it('an optimizer of another network, or with options beside it', async () => {
    const [model, other] = [await network(), await network()];
    const optimizer = new SGD(other.parameters(), { lr: 0.1 });
    await expect(fit(model, data, { optimizer })).rejects.toThrow(
      'fit: the optimizer (SGD) holds none of the parameters of the network',
    );
    const own = new SGD(model.parameters(), { lr: 0.1 });
    await expect(fit(model, data, { optimizer: own, lr: 0.2 })).rejects.toThrow(
      'fit: lr beside an optimizer that has its own',
    );
  });

  it('a batch norm of single values, in words of the library', async () => {
    const device = (await network(), devices.at(-1)!);
    const model = new Sequential(
      new Conv2d(device, { inChannels: 1, outChannels: 2, kernelSize: 8 }),
      new BatchNorm2d(device, { channels: 2 }),
      new Flatten(),
      new Dense(device, { inFeatures: 2, outFeatures: 4 }),
    );
    await expect(fit(model, quarters(17, 1), { batchSize: 16 })).rejects.toThrow(
      /^fit: the last batch has 1 image, of which 1 \(batchNorm\).+\nfix: leave that batch out with dropLast, or choose another batchSize than 16$/,
    );
  });
});

describe('evaluate and predict', () => {
  it('say of a network what its validation said, and leave its modes alone', async () => {
    const model = await network();
    const { validation } = await fit(model, data, small);
    model.train();
    const evaluation = await evaluate(model, held, { batchSize: 16 });
    expect(evaluation).toEqual(validation);
    expect(model.isTraining).toBe(true);
    const classNames = ['a', 'b', 'c', 'd'];
    const predictions = await predict(model, held.images, { input: [8, 8, 1], classNames, top: 2 });
    expect(predictions).toHaveLength(40);
    for (const [n, { top }] of predictions.entries()) {
      expect(top).toHaveLength(2);
      const label = evaluation.predictions[n];
      expect(top[0].class).toBe(classNames[label]);
      expect(top[0].probability).toBeCloseTo(evaluation.probabilities[4 * n + label], 5);
    }
    expect(model.isTraining).toBe(true);
  });

  it('read image files', async () => {
    const model = await network();
    await fit(model, data, small);
    const where = folder();
    mkdirSync(where, { recursive: true });
    const file = join(where, 'b.png');
    const raw = { width: 8, height: 8, channels: 1 as const };
    await sharp(Buffer.from(held.images.subarray(64, 128)), { raw })
      .png()
      .toFile(file);
    const [fromFile] = await predict(model, [file], { input: [8, 8, 1] });
    const [fromBytes] = await predict(model, held.images.slice(64, 128), { input: [8, 8, 1] });
    expect(fromFile).toEqual({ file, ...fromBytes });
    await expect(predict(model, [join(where, 'none.png')], { input: [8, 8, 1] })).rejects.toThrow(
      DataError,
    );
  });

  it('refuse what does not fit', async () => {
    const model = await network();
    await expect(evaluate(model, quarters(0, 1))).rejects.toThrow(DataError);
    await expect(predict(model, new Uint8Array(64))).rejects.toThrow('pass input');
    const input = [8, 8, 1] as const;
    await expect(predict(model, new Uint8Array(63), { input })).rejects.toThrow(
      'predict: expected images [N, 8, 8, 1] of 64 bytes each, got 63 bytes',
    );
    const classNames = ['a', 'b'];
    await expect(predict(model, new Uint8Array(64), { input, classNames })).rejects.toThrow(
      /^predict: the network \(Sequential\) gives \[N=1, 4\]/,
    );
    await expect(evaluate(new Sequential(new Flatten()), held)).rejects.toThrow(
      'evaluate: the network (Sequential) has no parameters',
    );
  });
});
