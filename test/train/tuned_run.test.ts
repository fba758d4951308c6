import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDevice } from '../../src/device.js';
import { UsageError } from '../../src/errors.js';
import { formatChoices, identityOf } from '../../src/tune/choice_cache.js';
import { readCheckpoint } from '../../src/train/checkpoint.js';
import { runTraining } from '../../src/train/run.js';
import type { TrainRequest } from '../../src/train/run_plan.js';
import { stopAfter, temporaryFolder } from './helpers.js';

const folder = temporaryFolder();
const caches = join(folder, 'caches');
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  rmSync(caches, { recursive: true, force: true });
  mkdirSync(caches);
  vi.stubEnv('TILEGRAD_CACHE', caches);
});

const small: TrainRequest = {
  settings: {
    ...{ data: 'builtin:digits', model: 'mlp', limit: 64, batchSize: 16, seed: 5 },
    ...{ epochs: 2, tensorboard: 'off' },
  },
  report: false,
};

interface Run {
  losses: number[];
  said: string[];
  isDone: boolean;
}

async function run(request: TrainRequest, steps = Infinity): Promise<Run> {
  const said: string[] = [];
  const recipe = request.resume === undefined ? 'mnist' : undefined;
  const { document, isDone } = await runTraining(
    { recipe, ...request },
    {
      openDevice: (seed) => createDevice({ seed }),
      say: (text) => said.push(text),
      onDecoded: () => undefined,
      signal: stopAfter(steps),
    },
  );
  const { epochs } = document as { epochs: { loss: number; valLoss: number }[] };
  return { losses: epochs.flatMap(({ loss, valLoss }) => [loss, valLoss]), said, isDone };
}

const variantsIn = (out: string): Record<string, string> =>
  (JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as { variants: never }).variants;

/** A cache as if tuning had found the naive kernel best for every one of these. */
async function keepNaive(keys: readonly string[], file: string): Promise<void> {
  const device = await createDevice();
  const choices = Object.fromEntries(keys.map((key) => [key, 'naive']));
  writeFileSync(join(caches, file), formatChoices(await identityOf(device.runtime), choices));
  device.destroy();
}

describe('a tuned run', () => {
  it('tunes before its first step, and goes on by the choices it began with', async () => {
    const builtIn = await run({ ...small, out: join(folder, 'built-in') });
    expect(variantsIn(join(folder, 'built-in'))).toEqual({});

    const out = join(folder, 'tuned');
    const tuned = await run({ ...small, out, tune: true });
    const variants = variantsIn(out);
    const keys = Object.keys(variants);
    expect(keys.length).toBeGreaterThan(2);
    expect(keys.every((key) => key.startsWith('matmul '))).toBe(true);
    expect(readCheckpoint(join(out, 'last.safetensors')).config.variants).toEqual(variants);
    expect(tuned.said).toContain(`kernels  ${keys.length} tuned choices`);
    expect(tuned.said.some((text) => /^tuned \d+ kernels in [\d.]+ s: /.test(text))).toBe(true);
    // Tuning draws random numbers and builds a network of its own; neither shows in the run.
    tuned.losses.forEach((loss, i) => expect(loss).toBeCloseTo(builtIn.losses[i], 3));

    // The next run takes the choices from the cache.
    const [file] = readdirSync(caches);
    await keepNaive(keys, file);
    const naive = await run({ ...small, out: join(folder, 'naive') });
    expect(new Set(Object.values(variantsIn(join(folder, 'naive'))))).toEqual(new Set(['naive']));
    expect(naive.losses).not.toEqual(builtIn.losses);

    // One that is stopped goes on by them even when the cache says otherwise by then.
    const stopped = join(folder, 'stopped');
    expect((await run({ ...small, out: stopped }, 5)).isDone).toBe(false);
    rmSync(join(caches, file));
    expect((await run({ resume: stopped, settings: {}, report: false })).losses).toEqual(
      naive.losses,
    );

    // One that began without goes on without.
    const untuned = join(folder, 'untuned');
    expect((await run({ ...small, out: untuned }, 5)).isDone).toBe(false);
    await keepNaive(keys, file);
    expect((await run({ resume: untuned, settings: {}, report: false })).losses).toEqual(
      builtIn.losses,
    );
  }, 180_000);

  it('is not tuned anew when it goes on', async () => {
    const request = { resume: join(folder, 'tuned'), settings: {}, tune: true };
    await expect(run(request)).rejects.toThrow(UsageError);
    await expect(run(request)).rejects.toThrow("the run's own settings, got --tune");
  });
});
