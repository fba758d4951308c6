import { beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../src/device.js';
import '../../src/ops/index.js';
import * as optim from '../../src/optim/index.js';
import {
  adamStep,
  adamWStep,
  lossScaleStep,
  optimizerState,
  rmspropStep,
  sgdStep,
  type OptimizerState,
} from '../../src/reference/optimizers.js';
import type { Tensor } from '../../src/tensor.js';
import { testDevice } from '../helpers/device.js';
import { fillInput } from '../helpers/fill.js';

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

type Rule = (
  parameter: Float64Array,
  gradient: Float64Array,
  state: OptimizerState,
  options: never,
) => void;
type Make = (parameters: optim.Parameters) => optim.Optimizer;

const LR = 0.01;
const rules: [string, Make, Rule, object][] = [
  [
    'SGD',
    (p) => new optim.SGD(p, { lr: LR, momentum: 0.9, weightDecay: 0.01 }),
    sgdStep,
    { lr: LR, momentum: 0.9, weightDecay: 0.01 },
  ],
  ['Adam', (p) => new optim.Adam(p, { lr: LR }), adamStep, { lr: LR }],
  [
    'Adam with short means',
    (p) => new optim.Adam(p, { lr: LR, beta1: 0, beta2: 0.5, amsgrad: true }),
    adamStep,
    { lr: LR, beta1: 0, beta2: 0.5, amsgrad: true },
  ],
  [
    'AdamW',
    (p) => new optim.AdamW(p, { lr: LR, beta1: 0.6 }),
    adamWStep,
    { lr: LR, beta1: 0.6, weightDecay: 0.01 },
  ],
  [
    'RMSprop',
    (p) => new optim.RMSprop(p, { lr: LR, momentum: 0.5 }),
    rmspropStep,
    { lr: LR, momentum: 0.5 },
  ],
];

/** Below and above one block of 256. */
const sizes = [1, 255, 256, 700];
const STEPS = 12;
const INTERVAL = 3;
const largest = 2 ** 126;

const values = (size: number, seed: number): Float64Array =>
  fillInput({ shape: [size] }, seed).map((v) => Math.fround(v));

/** Gradients of the loss without a scale; some steps have numbers that a large scale overflows. */
function gradientsAt(step: number): Float64Array[] {
  return sizes.map((size, i) => {
    const gradient = values(size, 100 + 10 * step + i);
    if (step % 4 === 1 && i === 2) gradient[17] = 64;
    return gradient;
  });
}

function makeParameters(): Tensor[] {
  return sizes.map((size, i) =>
    device.tensor(Float32Array.from(values(size, i)), [size], { requiresGrad: true }),
  );
}

/** What backward leaves: the gradients times the scale, as products of f32 numbers. */
const scaled = (gradients: Float64Array[], scale: number): Float32Array[] =>
  gradients.map((gradient) => Float32Array.from(gradient, (g) => g * scale));

interface Kit {
  parameters: Tensor[];
  optimizer: optim.Optimizer;
  scaler: optim.LossScaler;
}

function makeKit(make: Make, options: optim.LossScalerOptions = {}): Kit {
  const parameters = makeParameters();
  const optimizer = make([...parameters.entries()].map(([i, p]) => ['abcd'[i], p] as const));
  return { parameters, optimizer, scaler: new optim.LossScaler(optimizer, options) };
}

/** One step: the loss is Σ parameter · gradient, its gradient that times the scale. */
function step({ parameters, optimizer, scaler }: Kit, gradients: readonly Tensor[]): void {
  optimizer.zeroGrad();
  let loss = parameters[0].mul(gradients[0]).sum();
  parameters.slice(1).forEach((p, i) => (loss = loss.add(p.mul(gradients[i + 1]).sum())));
  loss.backward(scaler.scale);
  optimizer.step();
}

const upload = (gradients: Float64Array[]): Tensor[] =>
  gradients.map((gradient) => device.tensor(Float32Array.from(gradient)));

async function bitsOf({ parameters, optimizer }: Kit): Promise<number[][]> {
  const all: number[][] = [];
  for (const tensor of [...parameters, ...optimizer.stateDict().tensors.values()]) {
    all.push(Array.from(await tensor.data()));
  }
  return all;
}

describe.each(rules)('%s under a loss scale', (_name, make, rule, options) => {
  it('follows the float64 reference, which leaves the skipped steps out', async () => {
    const kit = makeKit(make, { initial: largest, interval: INTERVAL });
    const wanted = sizes.map((size, i) => values(size, i));
    const states = sizes.map((size) => optimizerState(size));
    const scale = { scale: largest, goodSteps: 0 };
    let skipped = 0;
    for (let t = 0; t < STEPS; t++) {
      const gradients = gradientsAt(t);
      step(kit, upload(gradients));
      if (!lossScaleStep(scale, scaled(gradients, scale.scale), INTERVAL)) skipped++;
      else wanted.forEach((w, i) => rule(w, gradients[i], states[i], options as never));
      const { state, halted } = await kit.scaler.read();
      expect(state).toEqual({ ...scale, skippedSteps: skipped, steps: t + 1 });
      expect(halted).toBeNull();
    }
    expect(skipped).toBeGreaterThan(1);
    expect(states[0].step).toBe(STEPS - skipped);
    for (const [i, parameter] of kit.parameters.entries()) {
      const got = await parameter.data();
      // Steps move a parameter by about lr; each may err by a few roundings of the parameter.
      wanted[i].forEach((w, j) => {
        const limit = STEPS * (2 ** -23 * Math.max(1, Math.abs(w)) + 64 * 2 ** -24 * LR);
        expect(Math.abs(got[j] - w), `parameter ${i}, element ${j}`).toBeLessThanOrEqual(limit);
      });
    }
    const { tensors, scalars } = kit.optimizer.stateDict();
    expect(Array.from(await tensors.get('steps')!.data())).toEqual(Array(4).fill(STEPS - skipped));
    expect(scalars).toEqual({ lr: LR });
    kit.optimizer.dispose();
  });

  it('a skipped step leaves parameters, state and step counts as they are, bit for bit', async () => {
    const kit = makeKit(make);
    step(kit, upload(gradientsAt(0)));
    const before = await bitsOf(kit);
    for (const bad of [Infinity, -Infinity, NaN]) {
      const gradients = gradientsAt(2);
      gradients[3][699] = bad;
      step(kit, upload(gradients));
      expect(await bitsOf(kit)).toEqual(before);
      // What was not finite does not stay.
      expect((await kit.parameters[3].grad!.data())[699]).toBe(0);
    }
    expect((await kit.scaler.read()).state).toEqual({
      ...{ scale: 2 ** 13, goodSteps: 0, skippedSteps: 3, steps: 4 },
    });
    step(kit, upload(gradientsAt(3)));
    expect(await bitsOf(kit)).not.toEqual(before);
    kit.optimizer.dispose();
  });

  it('a captured step gives the same bits, skipped ones among them', async () => {
    const run = async (isCaptured: boolean): Promise<unknown> => {
      const kit = makeKit(make, { initial: largest, interval: INTERVAL });
      const captured = device.capture((...gradients: Tensor[]) => step(kit, gradients));
      for (let t = 0; t < STEPS; t++) {
        kit.optimizer.lr = LR / (t + 1);
        const data = gradientsAt(t).map((gradient) => Float32Array.from(gradient));
        if (isCaptured) captured(...data);
        else step(kit, upload(gradientsAt(t)));
      }
      const bits = await bitsOf(kit);
      const { state } = await kit.scaler.read();
      captured.dispose();
      kit.optimizer.dispose();
      return { bits, state };
    };
    expect(await run(true)).toEqual(await run(false));
  });

  it('goes on from a saved state as if it had not stopped', async () => {
    const options = { initial: largest, interval: INTERVAL };
    const [whole, first] = [makeKit(make, options), makeKit(make, options)];
    const run = (kit: Kit, from: number, to: number): void => {
      for (let t = from; t < to; t++) step(kit, upload(gradientsAt(t)));
    };
    run(whole, 0, STEPS);
    run(first, 0, 7);
    const { tensors, scalars } = first.optimizer.stateDict();
    const saved = new Map<string, optim.SavedState>();
    for (const [name, t] of tensors) saved.set(name, { shape: t.shape, data: await t.data() });
    const { state } = await first.scaler.read();
    expect(state.goodSteps).toBeGreaterThan(0);
    const second = makeKit(make, { interval: INTERVAL });
    for (const [i, p] of first.parameters.entries()) second.parameters[i].assign(await p.data());
    second.optimizer.loadStateDict({ tensors: saved, scalars });
    second.scaler.load(state);
    run(second, 7, STEPS);
    expect(await bitsOf(second)).toEqual(await bitsOf(whole));
    expect(await second.scaler.read()).toEqual(await whole.scaler.read());
    for (const { optimizer } of [whole, first, second]) optimizer.dispose();
  });
});

const adam: Make = (p) => new optim.Adam(p, { lr: LR });

describe('LossScaler', () => {
  it('gives the numbers of its example', async () => {
    const w = device.tensor([1, 2], [2], { requiresGrad: true });
    const optimizer = new optim.SGD([w], { lr: 0.5 });
    const scaler = new optim.LossScaler(optimizer);
    w.mul(device.tensor([1, -1]))
      .sum()
      .backward(scaler.scale);
    expect(Array.from(await w.grad!.data())).toEqual([65536, -65536]);
    optimizer.step();
    expect(Array.from(await w.data())).toEqual([0.5, 2.5]);
    optimizer.dispose();
  });

  it('a scale is taken back exactly: SGD gives the bits it gives without one', async () => {
    const sgd: Make = (p) => new optim.SGD(p, { lr: LR, momentum: 0.9 });
    const kits = [1, 2 ** 16, 2 ** 24].map((initial) => makeKit(sgd, { initial }));
    const parameters = makeParameters();
    const plain = sgd(parameters);
    for (let t = 0; t < 3; t++) {
      const gradients = upload(gradientsAt(t));
      for (const kit of kits) step(kit, gradients);
      plain.zeroGrad();
      parameters.forEach((p, i) => p.backward(gradients[i]));
      plain.step();
    }
    for (const [i, parameter] of parameters.entries()) {
      const wanted = await parameter.data();
      for (const kit of kits) expect(await kit.parameters[i].data()).toEqual(wanted);
    }
    for (const { optimizer } of kits) optimizer.dispose();
    plain.dispose();
  });

  it('clips gradients as they are without the scale', async () => {
    const w = device.tensor([0, 0], [2], { requiresGrad: true });
    const optimizer = new optim.SGD([w], { lr: 1 });
    const scaler = new optim.LossScaler(optimizer);
    w.mul(device.tensor([3, 4]))
      .sum()
      .backward(scaler.scale);
    scaler.unscale();
    expect(Array.from(await w.grad!.data())).toEqual([3, 4]);
    expect(await optim.clipGradNorm([w], 2.5).item()).toBe(5);
    optimizer.step();
    const [a, b] = await w.data();
    expect(a).toBeCloseTo(-1.5, 6);
    expect(b).toBeCloseTo(-2, 6);
    // Gradients that were unscaled and given up are not taken for the next ones.
    optimizer.zeroGrad();
    w.backward(device.tensor([1, 1]).mul(scaler.scale));
    scaler.unscale();
    optimizer.zeroGrad();
    w.backward(device.tensor([1, 1]).mul(scaler.scale));
    optimizer.step();
    expect((await w.data())[0]).toBeCloseTo(-2.5, 6);
    optimizer.dispose();
  });

  it('parameters without a gradient are not counted, whatever their memory holds', async () => {
    const { parameters, optimizer, scaler } = makeKit(adam);
    const [a, b] = parameters;
    b.backward(device.full([255], Infinity));
    optimizer.step();
    optimizer.zeroGrad();
    a.backward(device.tensor([1]).mul(scaler.scale));
    optimizer.step();
    const counts = await optimizer.stateDict().tensors.get('steps')!.data();
    expect(Array.from(counts)).toEqual([1, 0, 0, 0]);
    optimizer.zeroGrad();
    optimizer.step();
    expect((await scaler.read()).state).toMatchObject({ skippedSteps: 1, steps: 2 });
    optimizer.dispose();
  });

  it('spreads over several buffers', async () => {
    const { limits } = device.info;
    const limit = limits.maxStorageBufferBindingSize;
    const run = async (bytes: number): Promise<unknown> => {
      limits.maxStorageBufferBindingSize = bytes;
      const kit = makeKit(adam, { initial: largest, interval: INTERVAL });
      limits.maxStorageBufferBindingSize = limit;
      const storages = new Set(kit.parameters.map((p) => p.gpuArray.storage));
      expect(storages.size).toBe(bytes === limit ? 1 : 3);
      for (let t = 0; t < 5; t++) step(kit, upload(gradientsAt(t)));
      const result = { bits: await bitsOf(kit), ...(await kit.scaler.read()) };
      kit.optimizer.dispose();
      return result;
    };
    // 3072 bytes hold an unused block and two: [1][255] | [256] | [700], which takes all three.
    expect(await run(3072)).toEqual(await run(limit));
  });

  it('costs one pass and two small dispatches a step', async () => {
    const kit = makeKit(adam);
    const gradients = upload(gradientsAt(0));
    step(kit, gradients);
    await device.sync();
    if (!device.runtime.hasTimestamps) {
      console.warn('dispatches a step: not checked, the adapter has no timestamp queries');
      return;
    }
    const timings = await device.profile(() => kit.optimizer.step());
    expect(timings.map(({ op }) => op)).toEqual([
      ...['unscale gradients', 'loss scale, rows', 'adam step', 'loss scale, update'],
    ]);
    kit.optimizer.dispose();
  });

  it('halts where gradients overflow at a scale of 1, and says which', async () => {
    const kit = makeKit(adam, { initial: 2 });
    const bad = gradientsAt(0);
    bad[1][3] = NaN;
    bad[2][0] = Infinity;
    step(kit, upload(gradientsAt(0)));
    const before = await bitsOf(kit);
    step(kit, upload(bad));
    expect((await kit.scaler.read()).halted).toBeNull();
    step(kit, upload(bad));
    const stopped = await kit.scaler.read();
    expect(stopped.halted).toEqual({ step: 2, parameters: ['b', 'c'] });
    expect(stopped.state).toEqual({ scale: 1, goodSteps: 0, skippedSteps: 2, steps: 3 });
    // From there on nothing changes, good gradients or bad.
    bad[0][0] = NaN;
    step(kit, upload(bad));
    step(kit, upload(gradientsAt(3)));
    expect(await kit.scaler.read()).toEqual(stopped);
    expect(await bitsOf(kit)).toEqual(before);
    kit.optimizer.dispose();
  });

  it('stays at its ceiling of 2^24', async () => {
    const kit = makeKit(adam, { initial: 2 ** 22, interval: 1 });
    const scales: number[] = [];
    for (let t = 0; t < 4; t++) {
      step(kit, upload(gradientsAt(2)));
      scales.push(await kit.scaler.scale.item());
    }
    expect(scales).toEqual([2 ** 23, 2 ** 24, 2 ** 24, 2 ** 24]);
    kit.optimizer.dispose();
  });

  it('takes over the steps that an optimizer has done', async () => {
    const parameters = makeParameters();
    const optimizer = adam(parameters);
    parameters[2].backward(device.ones([256]));
    optimizer.step();
    new optim.LossScaler(optimizer);
    const counts = await optimizer.stateDict().tensors.get('steps')!.data();
    expect(Array.from(counts)).toEqual([0, 0, 1, 0]);
    optimizer.dispose();
  });

  it('refuses what it cannot do', () => {
    const optimizer = adam(makeParameters());
    for (const initial of [0.5, 3, 2 ** 127, NaN]) {
      expect(() => new optim.LossScaler(optimizer, { initial })).toThrow(
        `LossScaler: initial must be a power of two from 1 to 2^126, got ${initial}`,
      );
    }
    expect(() => new optim.LossScaler(optimizer, { interval: 0 })).toThrow(
      'LossScaler: interval must be a whole number of at least 1, got 0',
    );
    new optim.LossScaler(optimizer);
    expect(() => new optim.LossScaler(optimizer)).toThrow(
      'LossScaler: the optimizer has one already',
    );
    optimizer.dispose();
  });
});
