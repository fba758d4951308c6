import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TrainingError } from '../../src/errors.js';
import { readAnyCheckpoint } from '../../src/train/checkpoint.js';
import { temporaryFolder, train } from './helpers.js';

const folders: string[] = [];
function folder(): string {
  const made = temporaryFolder();
  folders.push(made);
  return made;
}
afterAll(() => folders.forEach((made) => rmSync(made, { recursive: true })));

/** Everything of a history but the times. */
const losses = (progress: { history: { loss: number; valLoss: number }[] }): number[] =>
  progress.history.flatMap(({ loss, valLoss }) => [loss, valLoss]);

describe('training', () => {
  let unbroken: Awaited<ReturnType<typeof train>>;
  let unbrokenFolder: string;
  beforeAll(async () => {
    unbrokenFolder = folder();
    unbroken = await train({ folder: unbrokenFolder });
  });

  it('learns', () => {
    const { history } = unbroken.progress;
    expect(history).toHaveLength(3);
    expect(history[2].loss).toBeLessThan(history[0].loss);
    expect(history[2].valAccuracy).toBeGreaterThan(0.9);
  });

  it('writes metrics.csv, both checkpoints and events, and leaves no temporary file', () => {
    const names = readdirSync(unbrokenFolder).sort();
    expect(names).toEqual(['best.safetensors', 'events', 'last.safetensors', 'metrics.csv']);
    const [head, ...rows] = readFileSync(join(unbrokenFolder, 'metrics.csv'), 'utf8').split('\n');
    expect(head).toBe(
      'epoch,loss,accuracy,valLoss,valAccuracy,learningRate,seconds,imagesPerSecond,inputSeconds',
    );
    expect(rows.filter(Boolean)).toHaveLength(3);
    expect(readdirSync(join(unbrokenFolder, 'events'))).toEqual(['train', 'validation']);
  });

  it('gives the same bits again, and without capturing the step', async () => {
    const again = await train({ folder: folder() });
    expect(again.weights).toEqual(unbroken.weights);
    expect(losses(again.progress)).toEqual(losses(unbroken.progress));
    const plain = await train({ folder: folder(), isCaptured: false });
    expect(plain.weights).toEqual(unbroken.weights);
    expect(losses(plain.progress)).toEqual(losses(unbroken.progress));
  });

  it.each([1, 4, 5, 7])(
    'stopped after %i steps and resumed, gives the bits of an unbroken run',
    async (stopAfter) => {
      const where = folder();
      let steps = 0;
      const first = await train({
        folder: where,
        events: { shouldStop: () => ++steps >= stopAfter },
      });
      expect(first.end).toBe('interrupted');
      expect(readAnyCheckpoint(join(where, 'last.safetensors')).progress.step).toBe(stopAfter);
      const second = await train({ folder: where, resume: true });
      expect(second.end).toBe('done');
      expect(second.weights).toEqual(unbroken.weights);
      expect(losses(second.progress)).toEqual(losses(unbroken.progress));
    },
  );

  it('stops at a loss that is not finite, names step, rate and module, and keeps the checkpoint', async () => {
    const where = folder();
    const before = await train({ folder: where, config: { epochs: 1 } });
    const saved = readFileSync(join(where, 'last.safetensors'));
    const failing = train({
      folder: where,
      resume: true,
      config: { epochs: 3, lr: 1e38 },
    });
    await expect(failing).rejects.toThrow(TrainingError);
    await expect(failing).rejects.toThrow(
      /the loss is not finite at step \d+ \(epoch 2\), learning rate 1e\+38, first in .+\nfix: begin anew with a lower learning rate: lr: 0\.001$/,
    );
    expect(readFileSync(join(where, 'last.safetensors')).equals(saved)).toBe(true);
    expect(before.end).toBe('done');
  });

  it('keeps a checkpoint within an epoch when the interval is over', async () => {
    const where = folder();
    const seen: boolean[] = [];
    await train({
      folder: where,
      checkpointEvery: 0,
      config: { epochs: 1 },
      events: {
        onProgress: () => seen.push(existsSync(join(where, 'last.safetensors'))),
        shouldStop: () => false,
      },
    });
    expect(existsSync(join(where, 'last.safetensors'))).toBe(true);
  });
});
