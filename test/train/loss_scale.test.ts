import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDevice, type Device } from '../../src/device.js';
import { DeviceError, TrainingError } from '../../src/errors.js';
import { fillArray } from '../../src/kernels/fill.js';
import { Module, Parameter, Sequential } from '../../src/nn/index.js';
import { add, sqrt } from '../../src/ops/elementwise.js';
import type { Tensor } from '../../src/tensor.js';
import { readAnyCheckpoint } from '../../src/train/checkpoint.js';
import { makeOptimizer } from '../../src/train/parameter_groups.js';
import { runTraining } from '../../src/train/run.js';
import type { RunConfig } from '../../src/train/run_config.js';
import { testDevice } from '../helpers/device.js';
import { config, temporaryFolder, tinyModel, train, type Session } from './helpers.js';

const folders: string[] = [];
function folder(): string {
  const made = temporaryFolder();
  folders.push(made);
  return made;
}
afterAll(() => folders.forEach((made) => rmSync(made, { recursive: true })));

let hasF16: boolean;
beforeAll(async () => {
  hasF16 = (await testDevice()).info.features.includes('shader-f16');
  if (!hasF16) console.log('runs of f16 skipped: no shader-f16 on this adapter');
});

const half = (session: Partial<Session> = {}) =>
  train({ folder: folder(), ...session, config: { dtype: 'f16', ...session.config } });

/** Adds √weight, weight 0: the output is finite, and the gradient of the weight is not. */
class Cusp extends Module {
  readonly weight: Parameter;

  constructor(device: Device) {
    super();
    this.weight = Parameter.of(device.runtime, fillArray(device.runtime, [4], 'f32', 0));
  }

  forward(x: Tensor): Tensor {
    return add(x, sqrt(this.weight));
  }
}

describe('training with a loss scale', () => {
  /** The gradients of a batch's summed loss overflow f32 at first. */
  const huge: Partial<Session> = {
    lossScale: { initial: 2 ** 126, interval: 4 },
    config: { lossReduction: 'sum', clipNorm: 50 },
  };
  let unbroken: Awaited<ReturnType<typeof train>>;
  beforeAll(async () => {
    if (hasF16) unbroken = await half(huge);
  });

  it('recovers from overflow, and learns', ({ skip }) => {
    if (!hasF16) skip();
    const { history, lossScale } = unbroken.progress;
    expect(lossScale!.steps).toBe(15);
    expect(lossScale!.skippedSteps).toBeGreaterThan(0);
    expect(lossScale!.skippedSteps).toBeLessThan(8);
    expect(lossScale!.scale).toBe(2 ** (126 - lossScale!.skippedSteps));
    expect(history[2].loss).toBeLessThan(history[0].loss);
    expect(history[2].valAccuracy).toBeGreaterThan(0.9);
  });

  it('gives the same bits without capturing the step', async ({ skip }) => {
    if (!hasF16) skip();
    const plain = await half({ ...huge, isCaptured: false });
    expect(plain.weights).toEqual(unbroken.weights);
    expect(plain.progress.lossScale).toEqual(unbroken.progress.lossScale);
  });

  // Among overflows, within the first epoch, at its end, and when good steps have been counted.
  it.each([2, 4, 5, 7])(
    'stopped after %i steps and resumed, gives the bits of an unbroken run',
    async (stopAfter) => {
      if (!hasF16) return;
      const where = folder();
      let steps = 0;
      const events = { shouldStop: () => ++steps >= stopAfter };
      const first = await half({ ...huge, folder: where, events });
      expect(first.end).toBe('interrupted');
      const saved = readAnyCheckpoint(join(where, 'last.safetensors'));
      expect(saved.progress.lossScale!.steps).toBe(stopAfter);
      // The scale comes from the checkpoint, not from where this one would begin.
      const lossScale = { initial: 1, interval: 4 };
      const second = await half({ ...huge, folder: where, resume: true, lossScale });
      expect(second.weights).toEqual(unbroken.weights);
      expect(second.progress.lossScale).toEqual(unbroken.progress.lossScale);
    },
  );

  it('leaves the parameters alone in a step that overflows', async ({ skip }) => {
    if (!hasF16) skip();
    // One batch an epoch, so one step.
    const one: Partial<RunConfig> = { lossReduction: 'sum', batchSize: 72, epochs: 1 };
    const skipped = await half({ ...huge, config: one });
    expect(skipped.progress.lossScale).toMatchObject({ steps: 1, skippedSteps: 1 });
    const start = await half({ signal: { aborted: true } });
    expect(start.end).toBe('interrupted');
    expect(skipped.weights).toEqual(start.weights);
  });

  it('the scale leaves no trace: 65,536 gives the bits that 1 gives', async ({ skip }) => {
    if (!hasF16) skip();
    const one = await half({ lossScale: { initial: 1 }, config: { clipNorm: 0.5 } });
    const usual = await half({ config: { clipNorm: 0.5 } });
    expect(usual.weights).toEqual(one.weights);
    expect([one, usual].map(({ progress }) => progress.lossScale!.scale)).toEqual([1, 65536]);
  });

  it('shows the scale in TensorBoard', async ({ skip }) => {
    if (!hasF16) skip();
    const [where, other] = [folder(), folder()];
    await half({ folder: where, config: { epochs: 1 } });
    await train({ folder: other, config: { epochs: 1 } });
    const events = (run: string): string => {
      const path = join(run, 'events', 'train');
      return readFileSync(join(path, readdirSync(path)[0]), 'latin1');
    };
    expect(events(where)).toContain('loss scale');
    expect(events(where)).toContain('skipped steps');
    expect(events(other)).not.toContain('loss scale');
  });

  it('stops where gradients overflow at the lowest scale, and names step and module', async ({
    skip,
  }) => {
    if (!hasF16) skip();
    const where = folder();
    const failing = half({
      folder: where,
      lossScale: { initial: 4 },
      model: (device) => new Sequential(tinyModel(device), new Cusp(device), new Cusp(device)),
    });
    await expect(failing).rejects.toThrow(TrainingError);
    await expect(failing).rejects.toThrow(
      'fit: gradients are not finite at step 3 (epoch 1), learning rate 0.01, with the loss scale ' +
        'at its lowest, 1, nearest to the loss in 2 (Cusp); the parameters are those before ' +
        `that step\nfix: begin anew with a lower learning rate (lr: 0.001), or in full ` +
        "precision: dtype: 'f32'",
    );
    expect(existsSync(join(where, 'last.safetensors'))).toBe(false);
  });

  it('a loss that is not finite stops training as in full precision', async ({ skip }) => {
    if (!hasF16) skip();
    await expect(half({ config: { lr: 1e38 } })).rejects.toThrow(
      /the loss is not finite at step \d+ \(epoch 1\)/,
    );
  });
});

it('full precision has no scale', async () => {
  const device = await testDevice();
  const optimizer = makeOptimizer(tinyModel(device), config);
  expect(optimizer.scaler).toBeNull();
  expect(optimizer.stateDict().scalars).toHaveProperty(['0.weight.step'], 0);
  const { progress } = await train({ folder: folder(), config: { epochs: 1 } });
  expect(progress.lossScale).toBeNull();
  optimizer.dispose();
});

it('an adapter without f16 is told so before the data are opened', async () => {
  const out = join(folder(), 'run');
  const opened: Device[] = [];
  const asked: string[] = [];
  const running = runTraining(
    { settings: { data: 'builtin:digits', dtype: 'f16' }, recipe: 'mnist', out },
    {
      openDevice: async (seed) => {
        const device = await createDevice({ seed });
        const { features } = device.runtime.device;
        const others = [...features].filter((name) => name !== 'shader-f16');
        Object.defineProperty(device.runtime.device, 'features', { value: new Set(others) });
        opened.push(device);
        return device;
      },
      say: (text) => asked.push(text),
      onDecoded: () => asked.push('decoded'),
      callbacks: [{ onBegin: () => void asked.push('begin') }],
    },
  );
  await expect(running).rejects.toThrow(DeviceError);
  await expect(running).rejects.toThrow(
    /^device: .+ has no shader-f16, which operands of f16 need\nfix: use f32$/,
  );
  expect(opened).toHaveLength(1);
  expect(asked).toEqual([]);
  expect(existsSync(out)).toBe(false);
});
