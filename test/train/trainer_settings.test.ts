import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { readAnyCheckpoint } from '../../src/train/checkpoint.js';
import { temporaryFolder, train } from './helpers.js';

const folders: string[] = [];
function folder(): string {
  const made = temporaryFolder();
  folders.push(made);
  return made;
}
afterAll(() => folders.forEach((made) => rmSync(made, { recursive: true })));

type Trained = Awaited<ReturnType<typeof train>>;
type Config = NonNullable<Parameters<typeof train>[0]['config']>;

const trained = (config: Config): Promise<Trained> => train({ folder: folder(), config });

/** Stops after `steps`, goes on in a second process' place, and ends as the unbroken run did. */
async function resumes(config: Config, steps: number, unbroken: Trained): Promise<void> {
  const where = folder();
  let done = 0;
  const events = { shouldStop: () => ++done >= steps };
  expect((await train({ folder: where, config, events })).end).toBe('interrupted');
  const second = await train({ folder: where, config, resume: true });
  expect(second.weights).toEqual(unbroken.weights);
  expect(second.end).toBe(unbroken.end);
}

describe('what a person may set', () => {
  let plain: Trained;
  beforeAll(async () => {
    plain = await trained({});
  });

  it('frozen parameters do not move, and others do', async () => {
    const { weights } = await trained({ freeze: ['0'], epochs: 1 });
    const start = (await trained({ freeze: ['0'], epochs: 1, lr: 1e-30 })).weights;
    expect(weights['0.weight']).toEqual(start['0.weight']);
    expect(weights['4.weight']).not.toEqual(start['4.weight']);
    expect(plain.weights['0.weight']).not.toEqual(start['0.weight']);
  });

  it('unfreezes after its epochs, captured or not, and resumes on either side of it', async () => {
    const config: Config = { freeze: ['0'], unfreezeAfter: 1, epochs: 2 };
    const run = await trained(config);
    const frozen = await trained({ freeze: ['0'], epochs: 1 });
    expect(run.weights['0.weight']).not.toEqual(frozen.weights['0.weight']);
    const uncaptured = await train({ folder: folder(), config, isCaptured: false });
    expect(uncaptured.weights).toEqual(run.weights);
    await resumes(config, 3, run);
    await resumes(config, 7, run);
  });

  it('a factor of 0 for some parameters equals freezing them', async () => {
    const scaled = await trained({ lrScale: { '0': 0 }, epochs: 1 });
    const frozen = await trained({ freeze: ['0'], epochs: 1 });
    expect(scaled.weights).toEqual(frozen.weights);
  });

  it('a summed loss is the mean times the batch: SGD at a smaller rate gives nearly the same', async () => {
    const base: Config = { optimizer: 'sgd', momentum: 0, dropLast: true, epochs: 1 };
    const mean = await trained({ ...base, lr: 0.16 });
    const sum = await trained({ ...base, lr: 0.01, lossReduction: 'sum' });
    expect(sum.progress.history[0].loss).toBeCloseTo(mean.progress.history[0].loss, 4);
    mean.weights['4.weight'].forEach((w, i) =>
      expect(sum.weights['4.weight'][i]).toBeCloseTo(w, 4),
    );
  });

  it('L2 pulls weights of convolutions and dense layers to 0, and no bias', async () => {
    const base: Config = {
      optimizer: 'sgd',
      momentum: 0,
      epochs: 1,
      dropLast: true,
      batchSize: 72,
    };
    const free = await trained({ ...base, lr: 0.1 });
    const pulled = await trained({ ...base, lr: 0.1, l2: 0.5 });
    const start = await trained({ ...base, lr: 1e-30 });
    // One step: w − lr · (g + 2 · l2 · w) = (w − lr · g) − 0.1 · w
    free.weights['0.weight'].forEach((w, i) =>
      expect(pulled.weights['0.weight'][i]).toBeCloseTo(w - 0.1 * start.weights['0.weight'][i], 6),
    );
    expect(pulled.weights['0.bias']).toEqual(free.weights['0.bias']);
  });

  it('clipped gradients move parameters by at most rate · length', async () => {
    const base: Config = { optimizer: 'sgd', momentum: 0, epochs: 1, batchSize: 72, lr: 1 };
    const start = await trained({ ...base, lr: 1e-30 });
    const clipped = await trained({ ...base, clipNorm: 0.125 });
    let squares = 0;
    for (const name in start.weights) {
      start.weights[name].forEach((w, i) => (squares += (clipped.weights[name][i] - w) ** 2));
    }
    expect(Math.sqrt(squares)).toBeCloseTo(0.125, 4);
  });

  it('leaves out the last batch, and counts what was trained', async () => {
    const { progress } = await trained({ dropLast: true, epochs: 1 });
    expect(progress.step).toBe(4);
    const { imagesPerSecond, seconds } = progress.history[0];
    expect(imagesPerSecond * seconds).toBeCloseTo(64, 6);
  });

  it('validates within epochs without changing the run', async () => {
    const where = folder();
    const run = await train({ folder: where, config: { validateEvery: 2 } });
    expect(run.weights).toEqual(plain.weights);
    const [head, ...rows] = readFileSync(join(where, 'validation.csv'), 'utf8').trim().split('\n');
    expect(head).toBe('step,epoch,valLoss,valAccuracy');
    expect(rows.map((row) => row.split(',')[0])).toEqual(['2', '4', '6', '8', '10', '12', '14']);
    // Five steps an epoch: step 10 is the end of the second.
    const [, epoch, loss] = rows[4].split(',').map(Number);
    expect(epoch).toBe(2);
    expect(loss).toBe(run.progress.history[1].valLoss);
  });

  it('stops early when nothing gets better, and says so when resumed', async () => {
    const config: Config = { lr: 1e-30, earlyStopping: 2, epochs: 9 };
    const where = folder();
    const run = await train({ folder: where, config });
    expect(run.end).toBe('no better');
    // The first epoch sets the mark; the loss of the others is the same.
    expect(run.progress.history).toHaveLength(3);
    expect((await train({ folder: where, config, resume: true })).end).toBe('no better');
  });

  it('lowers the rate on a plateau, and goes on with it when resumed', async () => {
    const config: Config = { lr: 1e-3, schedule: 'plateau:0.5,0', epochs: 4 };
    const stale = await trained({ ...config, lr: 1e-30 });
    expect(stale.progress.history.map((row) => row.learningRate)).toEqual([
      ...[1e-30, 1e-30, 5e-31, 2.5e-31],
    ]);
    await resumes(config, 12, await trained(config));
  });

  it('keeps as best what has the lowest loss, when asked to', async () => {
    const where = folder();
    const run = await train({ folder: where, config: { bestBy: 'loss' } });
    const losses = run.progress.history.map(({ valLoss }) => valLoss);
    const best = readAnyCheckpoint(join(where, 'best.safetensors')).progress.history.at(-1)!;
    expect(best.valLoss).toBe(Math.min(...losses));
    expect(run.weights).toEqual(plain.weights);
  });

  it('leaves the numbers alone whatever TensorBoard gets', async () => {
    const off = await trained({ tensorboard: 'off' });
    const all = await trained({ tensorboard: 'all' });
    expect(off.weights).toEqual(plain.weights);
    expect(all.weights).toEqual(plain.weights);
  });

  it('ends an overfit check once everything is learned by heart', async () => {
    const run = await trained({ overfit: true, epochs: 40, lr: 2e-2 });
    expect(run.end).toBe('learned');
    const { accuracy, valAccuracy } = run.progress.history.at(-1)!;
    expect(Math.max(accuracy, valAccuracy)).toBe(1);
  });

  it('refuses options that an optimizer has not', async () => {
    await expect(trained({ beta1: 0.5, optimizer: 'sgd' })).rejects.toThrow(UsageError);
    await expect(trained({ beta1: 0.5, optimizer: 'sgd' })).rejects.toThrow(
      'optimizer: sgd has no beta1; it takes lr, weightDecay, momentum, nesterov',
    );
    await expect(trained({ l2: 0.1, optimizer: 'adamw' })).rejects.toThrow('adamw takes no l2');
  });
});
