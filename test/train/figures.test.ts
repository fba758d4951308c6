import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { noGrad } from '../../src/autograd/recording.js';
import { createDevice, type Device } from '../../src/device.js';
import { Dense, Flatten, Sequential } from '../../src/nn/index.js';
import { readAnyCheckpoint } from '../../src/train/checkpoint.js';
import { quarters, temporaryFolder, train } from './helpers.js';

/* The figures of an epoch against the same figures computed here, one image at a time. */

const folders: string[] = [];
function folder(): string {
  folders.push(temporaryFolder());
  return folders.at(-1)!;
}
afterAll(() => folders.forEach((made) => rmSync(made, { recursive: true })));

/** Nothing in it differs between training and evaluation. */
const linear = (device: Device): Sequential =>
  new Sequential(new Flatten(), new Dense(device, { inFeatures: 64, outFeatures: 4 }));

/** Mean cross-entropy and accuracy of the network on images of `quarters`, in float64. */
async function figures(
  weights: Record<string, number[]>,
  size: number,
  seed: number,
): Promise<{ loss: number; accuracy: number }> {
  const { labels } = quarters(size, seed);
  const device = await createDevice();
  try {
    const model = linear(device);
    for (const [name, tensor] of model.stateDict()) tensor.assign(Float32Array.from(weights[name]));
    const pixels = Float32Array.from(await pixelsOf(size, seed), (byte) => byte / 255);
    const logits = await noGrad(() => model.call(device.tensor(pixels, [size, 8, 8, 1]))).array();
    let [loss, correct] = [0, 0];
    (logits as number[][]).forEach((row, n) => {
      const largest = Math.max(...row);
      const sum = row.reduce((total, logit) => total + Math.exp(logit - largest), 0);
      loss += largest + Math.log(sum) - row[labels[n]];
      if (row.indexOf(largest) === labels[n]) correct++;
    });
    return { loss: loss / size, accuracy: correct / size };
  } finally {
    device.destroy();
  }
}

function pixelsOf(size: number, seed: number): Promise<Uint8Array> {
  return quarters(size, seed).read(Array.from({ length: size }, (_, n) => n));
}

describe('the figures of an epoch', () => {
  it.each(['mean', 'sum'] as const)(
    'are means over all images, the last short batch weighing less (reduction %s)',
    async (lossReduction) => {
      // A rate that moves no weight: every batch of the epoch is judged by the same network.
      const session = { folder: folder(), model: linear };
      const config = { epochs: 1, optimizer: 'sgd', lr: 1e-30, lossReduction } as const;
      const { progress, weights } = await train({ ...session, config });
      const [row] = progress.history;
      const training = await figures(weights, 72, 1);
      expect(row.loss).toBeCloseTo(training.loss, 5);
      expect(row.accuracy).toBe(training.accuracy);
      const validation = await figures(weights, 40, 2);
      expect(row.valLoss).toBeCloseTo(validation.loss, 5);
      expect(row.valAccuracy).toBe(validation.accuracy);
      // Images of one class would have been right by chance.
      expect(training.accuracy).not.toBe(validation.accuracy);
    },
  );

  it.each(['loss', 'accuracy'] as const)('choose the best checkpoint by %s', async (bestBy) => {
    const where = folder();
    const config = { epochs: 8, bestBy, lr: 0.05, seed: 5 };
    const { progress } = await train({ folder: where, config });
    const rows = progress.history;
    const least = Math.min(...rows.map(({ valLoss }) => valLoss));
    const most = Math.max(...rows.map(({ valAccuracy }) => valAccuracy));
    const byLoss = rows.findIndex(({ valLoss }) => valLoss === least) + 1;
    const byAccuracy = rows.findIndex(({ valAccuracy }) => valAccuracy === most) + 1;
    expect(byLoss).not.toBe(byAccuracy);
    const best = readAnyCheckpoint(join(where, 'best.safetensors'));
    expect(best.progress.epoch).toBe(bestBy === 'loss' ? byLoss : byAccuracy);
  });
});
