import { afterAll, describe, expect, it, vi } from 'vitest';
import { createDevice, type Device } from '../../src/device.js';
import { BatchNorm2d, Conv2d, recompute } from '../../src/nn/index.js';
import { conv2d, depthwiseConv2d } from '../../src/ops/conv.js';
import { add, mul } from '../../src/ops/elementwise.js';
import { dense } from '../../src/ops/linear.js';
import { batchNorm } from '../../src/ops/normalization.js';
import { sum } from '../../src/ops/reduce.js';
import { Adam, clipGradNorm, SGD } from '../../src/optim/index.js';
import type { Tensor } from '../../src/tensor.js';
import { testDevice } from '../helpers/device.js';
import { fillInput } from '../helpers/fill.js';

/* The gradient of a bias before a batch norm, which is zero and is not computed. */

const device = await testDevice();
const apart = await createDevice({ seed: 7, fusion: false });
afterAll(() => apart.destroy());

const draw = (shape: number[], seed: number, on = device, requiresGrad = false): Tensor =>
  on.tensor(Float32Array.from(fillInput({ shape }, seed)), shape, { requiresGrad });

/** Shaders that run inside `fn`. */
function shadersOf(fn: () => unknown, on = device): string[] {
  const dispatch = vi.spyOn(on.runtime, 'dispatch');
  fn();
  const names = dispatch.mock.calls.map(([{ shader }]) => shader);
  dispatch.mockRestore();
  return names;
}

const isSum = (name: string): boolean => name.startsWith('reduce_forward');

interface Layer {
  w: Tensor;
  bias: Tensor;
  /** What comes before the batch norm. */
  run: (bias: Tensor) => Tensor;
}

function layers(on: Device): Record<string, Layer> {
  const x = draw([2, 6, 6, 4], 1, on);
  const weights = (shape: number[]): Tensor => draw(shape, 2, on, true);
  const made = (w: Tensor, run: (bias: Tensor) => Tensor): Layer => ({
    w,
    bias: draw([w.shape.at(-1)! * (w.shape.length === 4 && w.shape[3] === 1 ? 4 : 1)], 3, on, true),
    run,
  });
  const filter = weights([3, 3, 4, 8]);
  const depthwise = weights([3, 3, 4, 1]);
  const matrix = weights([4, 8]);
  return {
    conv2d: made(filter, (bias) => conv2d(x, filter, { bias, padding: 1 })),
    depthwiseConv2d: made(depthwise, (bias) => depthwiseConv2d(x, depthwise, { bias, padding: 1 })),
    dense: made(matrix, (bias) => dense(x, matrix, { bias })),
  };
}

/** A loss of the normalised layer whose gradient differs from place to place. */
function lossOf(y: Tensor, on = device, training = true): Tensor {
  const c = y.shape.at(-1)!;
  const running = training ? {} : { runningMean: on.zeros([c]), runningVariance: on.ones([c]) };
  const normal = batchNorm(y, { ...running, training, activation: 'relu' });
  return sum(mul(normal, draw([...y.shape], 4, on)));
}

describe('the gradient of a bias before a batch norm', () => {
  const modes = [
    ['fused', device],
    ['not fused', apart],
  ] as const;
  describe.each(modes)('%s', (_, on) => {
    it.each(Object.keys(layers(on)))('of %s is zero, without a sum', async (name) => {
      const { w, bias, run } = layers(on)[name];
      const loss = lossOf(run(bias), on);
      expect(shadersOf(() => loss.backward(), on).filter(isSum)).toEqual([]);
      expect(bias.grad!.shape).toEqual(bias.shape);
      expect(new Set(await bias.grad!.data())).toEqual(new Set([0]));
      expect(Math.max(...(await w.grad!.data()).map(Math.abs))).toBeGreaterThan(1e-3);
    });
  });

  it('is what the gradient of the input sums to, but for rounding', async () => {
    const y = draw([2, 6, 6, 8], 5, device, true);
    lossOf(y).backward();
    const dy = await y.grad!.data();
    const sums = new Float64Array(8);
    dy.forEach((each, i) => (sums[i % 8] += each));
    const largest = Math.max(...dy.map(Math.abs));
    for (const total of sums) expect(Math.abs(total)).toBeLessThan(1e-4 * largest);
    expect(Math.max(...sums.map(Math.abs))).toBeGreaterThan(0);
  });

  it('is computed where running statistics normalise, and behind an activation', async () => {
    const { bias, run } = layers(device).conv2d;
    lossOf(run(bias), device, false).backward();
    expect(Math.max(...(await bias.grad!.data()).map(Math.abs))).toBeGreaterThan(1e-3);
    bias.zeroGrad();
    const [x, w] = [draw([2, 6, 6, 4], 1), draw([3, 3, 4, 8], 2)];
    lossOf(conv2d(x, w, { bias, padding: 1, activation: 'relu' })).backward();
    expect(Math.max(...(await bias.grad!.data()).map(Math.abs))).toBeGreaterThan(1e-3);
  });

  it('is computed where something else takes the output too', async () => {
    const { bias, run } = layers(device).conv2d;
    const y = run(bias);
    add(lossOf(y), sum(y)).backward();
    const rows = y.size / bias.size;
    for (const g of await bias.grad!.data()) expect(g).toBeCloseTo(rows, 2);
  });

  it('adds to a gradient that there is, either way round', async () => {
    const { bias, run } = layers(device).conv2d;
    sum(mul(bias, 3)).backward();
    lossOf(run(bias)).backward();
    expect(new Set(await bias.grad!.data())).toEqual(new Set([3]));
    bias.zeroGrad();
    expect(bias.grad).toBeNull();
    lossOf(run(bias)).backward();
    sum(mul(bias, 3)).backward();
    expect(new Set(await bias.grad!.data())).toEqual(new Set([3]));
  });

  it('goes on to what the bias was made of', async () => {
    const { bias, run } = layers(device).conv2d;
    lossOf(run(mul(bias, 2))).backward();
    expect(new Set(await bias.grad!.data())).toEqual(new Set([0]));
  });

  it('is zero in a segment that runs again', async () => {
    const conv = new Conv2d(device, { inChannels: 4, outChannels: 8, kernelSize: 1 });
    const x = draw([2, 6, 6, 4], 1);
    const loss = lossOf(recompute((input: Tensor) => conv.call(input), x));
    expect(shadersOf(() => loss.backward()).filter(isSum)).toEqual([]);
    expect(new Set(await conv.bias!.grad!.data())).toEqual(new Set([0]));
  });
});

describe('optimizers with a gradient that is zero', () => {
  const network = (seed = 2) => {
    const conv = new Conv2d(device, { inChannels: 4, outChannels: 8, kernelSize: 1 });
    conv.weight.assign(draw([1, 1, 4, 8], seed));
    conv.bias!.assign([1, 2, 3, 4, 5, 6, 7, 8]);
    const norm = new BatchNorm2d(device, { channels: 8 });
    const x = draw([2, 6, 6, 4], 1);
    const coefficients = draw([2, 6, 6, 8], 4);
    const loss = (): Tensor => sum(mul(norm.call(conv.call(x)), coefficients));
    return { conv, parameters: [...conv.parameters(), ...norm.parameters()], loss };
  };

  it('count a step and decay the weights', async () => {
    const { conv, parameters, loss } = network();
    const optimizer = new SGD(parameters, { lr: 0.5, weightDecay: 0.25 });
    // Whatever was there before.
    sum(mul(conv.bias!, 100)).backward();
    optimizer.zeroGrad();
    loss().backward();
    optimizer.step();
    expect([...(await conv.bias!.data())]).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((b) => b * 0.875));
    expect(new Set(await conv.bias!.grad!.data())).toEqual(new Set([0]));
    expect(Object.values(optimizer.stateDict().scalars)).toEqual([0.5, 1, 1, 1, 1]);
    optimizer.dispose();
  });

  it('clear what another step left there, captured too', async () => {
    const { conv, parameters, loss } = network();
    const optimizer = new SGD(parameters, { lr: 1 });
    const stepOf = (lossOfStep: () => Tensor) =>
      device.capture(() => {
        optimizer.zeroGrad();
        lossOfStep().backward();
        optimizer.step();
      });
    const normal = stepOf(loss);
    const other = stepOf(() => sum(mul(conv.bias!, 3)));
    const bias = [1, 2, 3, 4, 5, 6, 7, 8];
    for (let i = 0; i < 3; i++) {
      normal();
      expect([...(await conv.bias!.data())]).toEqual(bias.map((b) => b - 3 * i));
      other();
      expect([...(await conv.bias!.data())]).toEqual(bias.map((b) => b - 3 * (i + 1)));
    }
    normal.dispose();
    other.dispose();
    optimizer.dispose();
  });

  it('clip the others as before', async () => {
    const { conv, parameters, loss } = network();
    loss().backward();
    const before = await conv.weight.grad!.data();
    const norm = await clipGradNorm(parameters, 1e-3).item();
    expect(norm).toBeGreaterThan(1e-2);
    const after = await conv.weight.grad!.data();
    before.forEach((g, i) => expect(after[i]).toBeCloseTo((g * 1e-3) / norm, 8));
    expect(new Set(await conv.bias!.grad!.data())).toEqual(new Set([0]));
  });

  it('take no more memory from step to step', async () => {
    const { parameters, loss } = network();
    const optimizer = new Adam(parameters, { lr: 1e-3 });
    const step = (): void =>
      device.scope(() => {
        optimizer.zeroGrad();
        loss().backward();
        optimizer.step();
      });
    step();
    await device.sync();
    const { liveBuffers } = device.memory;
    for (let i = 0; i < 20; i++) step();
    await device.sync();
    expect(device.memory.liveBuffers).toBe(liveBuffers);
    optimizer.dispose();
  });
});
