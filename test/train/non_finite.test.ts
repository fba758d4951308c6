import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Device } from '../../src/device.js';
import { TrainingError } from '../../src/errors.js';
import { fillArray } from '../../src/kernels/fill.js';
import { BatchNorm2d, Conv2d, Flatten, Dense, Module, Sequential } from '../../src/nn/index.js';
import { Parameter } from '../../src/nn/parameter.js';
import type { Tensor } from '../../src/tensor.js';
import { lowerRate } from '../../src/train/advice.js';
import { firstNonFiniteTensor } from '../../src/train/finite.js';
import { temporaryFolder, tinyModel, train } from './helpers.js';

const folders: string[] = [];
function folder(): string {
  const made = temporaryFolder();
  folders.push(made);
  return made;
}
afterAll(() => folders.forEach((made) => rmSync(made, { recursive: true })));

const saved = (where: string) =>
  ['last', 'best'].map((name) =>
    readFileSync(join(where, `${name}.safetensors`)).toString('base64'),
  );

/** The first step breaks the weights, which only the validation can tell. */
const oneStep = { epochs: 1, batchSize: 72, optimizer: 'sgd', momentum: 0, lr: 1e38 } as const;

describe('a network that has become NaN', () => {
  it('fails by its validation loss, and nothing of it is saved', async () => {
    const where = folder();
    const failing = train({ folder: where, config: oneStep });
    await expect(failing).rejects.toThrow(TrainingError);
    await expect(failing).rejects.toThrow(
      /^fit: the validation loss is not finite after step 1 \(epoch 1\), learning rate 1e\+38, first in \d \(\w+\); these weights were not saved\nfix: begin anew with a lower learning rate: lr: 0\.01$/,
    );
    for (const name of ['last', 'best']) {
      expect(existsSync(join(where, `${name}.safetensors`)), name).toBe(false);
    }
  });

  it('fails by a validation within an epoch', async () => {
    const config = { ...oneStep, batchSize: 36, validateEvery: 1 };
    await expect(train({ folder: folder(), config })).rejects.toThrow(
      /^fit: the validation loss is not finite after step 1 \(epoch 1\)/,
    );
  });

  it('fails by running statistics alone', async () => {
    const where = folder();
    let norm: BatchNorm2d;
    const failing = train({
      folder: where,
      config: { epochs: 1 },
      model: (device) => {
        norm = new BatchNorm2d(device, { channels: 1 });
        const input = { inChannels: 1, outChannels: 2, kernelSize: 3 } as const;
        const dense = new Dense(device, { inFeatures: 72, outFeatures: 4 });
        return new Sequential(norm, new Conv2d(device, input), new Flatten(), dense);
      },
      events: {
        onProgress: ({ phase, done }) => {
          if (phase === 'validate' && done < 40) norm.runningMean.assign([NaN]);
        },
        shouldStop: () => false,
      },
    });
    await expect(failing).rejects.toThrow(/first in 0 \(BatchNorm2d\)/);
    expect(existsSync(join(where, 'last.safetensors'))).toBe(false);
  });

  it('fails where a parameter that no loss shows is NaN, when it is stopped too', async () => {
    const where = folder();
    await train({ folder: where, config: { epochs: 1 }, model: withSpare });
    const before = saved(where);
    let spare: Spare;
    const failing = train({
      folder: where,
      resume: true,
      model: (device) => {
        const model = withSpare(device);
        spare = model.spare;
        return model;
      },
      events: {
        shouldStop: () => {
          spare.weight.assign([0, Infinity]);
          return true;
        },
      },
    });
    await expect(failing).rejects.toThrow(
      /^fit: \d\.weight is not finite after step 6 \(epoch 2\), learning rate 0\.01; nothing was saved of it\nfix: /,
    );
    expect(saved(where)).toEqual(before);
  });

  it('leaves the checkpoints of the last epoch that was finite, and says how to go on', async () => {
    const where = folder();
    await train({ folder: where, config: { epochs: 1, batchSize: 72 } });
    const before = saved(where);
    const schedule = 'per-epoch:0.01,1e38';
    const config = { batchSize: 72, schedule };
    await expect(train({ folder: where, resume: true, config })).rejects.toThrow(
      /^fit: the validation loss is not finite after step 2 .+; these weights were not saved\nfix: begin anew/,
    );
    expect(saved(where)).toEqual(before);
  });
});

class Spare extends Module {
  readonly weight: Parameter;

  constructor(device: Device) {
    super();
    this.weight = Parameter.of(device.runtime, fillArray(device.runtime, [2], 'f32', 0));
  }

  forward(x: Tensor): Tensor {
    return x;
  }
}

function withSpare(device: Device): Sequential & { spare: Spare } {
  const spare = new Spare(device);
  return Object.assign(new Sequential(tinyModel(device), spare), { spare });
}

describe('the advice', () => {
  it.each([
    [{ lr: 1e29, schedule: 'constant', optimizer: 'adam' }, 1e29, 1e-3],
    [{ lr: 0.05, schedule: 'constant', optimizer: 'sgd' }, 0.05, 0.005],
    [{ lr: 3e-4, schedule: 'cosine', optimizer: 'adam' }, 1e-6, 3e-5],
    [{ lr: 1e-3, schedule: 'stages:0.5,0.01', optimizer: 'sgd' }, 0.01, 1e-3],
    [{ lr: 0.1, schedule: 'plateau:0.5,3', optimizer: 'sgd' }, 0.025, 0.0025],
  ] as const)('after %o at a rate of %d is --lr %d', (config, inForce, wanted) => {
    expect(lowerRate(config, inForce)).toBe(wanted);
  });
});

it('finds the first tensor that is not finite', () => {
  const of = (...values: number[]) => ({ data: Float32Array.from(values) });
  const tensors = (last: number) =>
    new Map([
      ['a', of(3e38, -3e38, 0)],
      ['b', of(1, last)],
    ]);
  expect(firstNonFiniteTensor(tensors(1e-45))).toBeNull();
  for (const value of [NaN, Infinity, -Infinity]) {
    expect(firstNonFiniteTensor(tensors(value)), String(value)).toBe('b');
  }
});
