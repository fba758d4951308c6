import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createDevice } from '../../src/device.js';
import { runTraining } from '../../src/train/run.js';
import type { TrainRequest } from '../../src/train/run_plan.js';
import { stopAfter, temporaryFolder } from './helpers.js';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

/** Augmented; two full batches and a smaller one. */
const settings: TrainRequest['settings'] = {
  ...{ data: 'builtin:digits', model: 'mlp', limit: 40, batchSize: 16 },
  ...{ epochs: 1, seed: 5, augment: 'shift=0.1', tensorboard: 'off' },
};

async function run(request: TrainRequest, steps = Infinity) {
  const recipe = request.resume === undefined ? 'mnist' : undefined;
  const { document } = await runTraining(
    { recipe, report: false, ...request },
    {
      openDevice: (seed) => createDevice({ seed }),
      say: () => undefined,
      onDecoded: () => undefined,
      signal: stopAfter(steps),
    },
  );
  const { epochs } = document as { epochs: { loss: number; valLoss: number }[] };
  const out = request.out ?? request.resume!;
  return {
    losses: epochs.flatMap(({ loss, valLoss }) => [loss, valLoss]),
    weights: readFileSync(join(out, 'last.safetensors')).subarray(-1000),
    config: JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as { recompute: boolean },
  };
}

it('gives the same bits with --recompute, which may change when a run goes on', async () => {
  const out = (name: string): string => join(folder, name);
  const plain = await run({ settings, out: out('plain') });
  expect([plain.losses.length, plain.config.recompute]).toEqual([2, false]);
  const recompute = true;
  const again = await run({ settings: { ...settings, recompute }, out: out('recomputed') });
  expect(again.losses).toEqual(plain.losses);
  expect(again.weights).toEqual(plain.weights);
  expect(again.config.recompute).toBe(true);
  await run({ settings, out: out('changed') }, 1);
  const changed = await run({ settings: { recompute }, resume: out('changed') });
  expect(changed.losses).toEqual(plain.losses);
  expect(changed.config.recompute).toBe(true);
});
