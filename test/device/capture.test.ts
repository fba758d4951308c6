import { describe, expect, it } from 'vitest';
import { createDevice, optim, type Device, type Tensor } from '../../src/index.js';

const STEPS = 12;

const inputs = (step: number, rows = 4): Float32Array =>
  Float32Array.from({ length: rows * 6 }, (_, i) => Math.sin(i * 1.7 + step));
const classes = (step: number, rows = 4): Int32Array =>
  Int32Array.from({ length: rows }, (_, i) => (i + step) % 3);

interface Run {
  losses: number[];
  weights: number[][];
}

/** Trains a small network with dropout by Adam; `mode` says how its steps are run. */
async function train(device: Device, mode: 'plain' | 'captured' | 'mixed'): Promise<Run> {
  const w1 = device.randn([6, 16], { standardDeviation: 0.3, requiresGrad: true });
  const w2 = device.randn([16, 3], { standardDeviation: 0.3, requiresGrad: true });
  const optimizer = new optim.Adam([w1, w2]);
  const step = (x: Tensor, labels: Tensor): Tensor => {
    optimizer.zeroGrad();
    const rows = x.size / 6;
    const hidden = x.reshape([rows, 6]).matmul(w1).relu().dropout({ rate: 0.4 });
    const loss = hidden.dropout({ rate: 0.1 }).matmul(w2).softmaxCrossEntropy(labels);
    loss.backward();
    optimizer.step();
    return loss;
  };
  const captured = device.capture(step);
  const losses: number[] = [];
  for (let i = 0; i < STEPS; i++) {
    optimizer.lr = 0.02 / (1 + i);
    // The last batch of an epoch is smaller: it is captured for itself.
    const rows = i % 4 === 3 ? 2 : 4;
    const isPlain = mode === 'plain' || (mode === 'mixed' && i % 3 === 1);
    const loss = isPlain
      ? step(device.tensor(inputs(i, rows)), device.tensor(classes(i, rows)))
      : captured(inputs(i, rows), classes(i, rows));
    losses.push(await loss.item());
  }
  const weights = [Array.from(await w1.data()), Array.from(await w2.data())];
  captured.dispose();
  optimizer.dispose();
  return { losses, weights };
}

describe('capture', () => {
  it('gives the bits of the uncaptured steps, dropout, Adam and rates included', async () => {
    const runs: Run[] = [];
    for (const mode of ['plain', 'captured', 'mixed'] as const) {
      using device = await createDevice({ seed: 5 });
      runs.push(await train(device, mode));
    }
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
    expect(new Set(runs[0].losses).size).toBe(STEPS);
  });

  it('gives the same bits when nothing is read between the steps', async () => {
    const run = async (isCaptured: boolean): Promise<number[]> => {
      using device = await createDevice({ seed: 5 });
      const w = device.randn([6, 3], { requiresGrad: true });
      const optimizer = new optim.SGD([w], { momentum: 0.9 });
      const step = (x: Tensor, labels: Tensor): void => {
        optimizer.zeroGrad();
        const y = x.reshape([4, 6]).dropout({ rate: 0.5 }).matmul(w);
        y.softmaxCrossEntropy(labels).backward();
        optimizer.step();
      };
      const captured = device.capture(step);
      for (let i = 0; i < STEPS; i++) {
        optimizer.lr = 0.1 / (i + 1);
        if (isCaptured) captured(inputs(i), classes(i));
        else device.scope(() => step(device.tensor(inputs(i)), device.tensor(classes(i))));
      }
      return Array.from(await w.data());
    };
    expect(await run(true)).toEqual(await run(false));
  });

  it('holds memory flat, and gives everything back when disposed', async () => {
    using device = await createDevice();
    const w = device.ones([8], { requiresGrad: true });
    const optimizer = new optim.SGD([w]);
    await device.sync();
    const before = device.memory.liveBuffers;
    const captured = device.capture((x: Tensor) => {
      optimizer.zeroGrad();
      const loss = w.mul(x).dropout({ rate: 0.1 }).sum();
      loss.backward();
      optimizer.step();
      return loss;
    });
    captured(new Float32Array(8).fill(1));
    const { liveBuffers, liveBytes, pooledBytes } = device.memory;
    for (let i = 0; i < 50; i++) captured(new Float32Array(8).fill(i));
    await device.sync();
    expect(device.memory).toMatchObject({ liveBuffers, liveBytes, pooledBytes });
    captured.dispose();
    optimizer.zeroGrad();
    expect(device.memory.liveBuffers).toBe(before);
  });

  it('takes tensors as inputs, and returns tensors that hold the newest results', async () => {
    using device = await createDevice();
    const captured = device.capture((a: Tensor, b: Tensor) => ({ sum: a.add(b), twice: a.mul(2) }));
    const first = captured(device.tensor([1, 2]), device.tensor([10, 20]));
    expect(Array.from(await first.sum.data())).toEqual([11, 22]);
    const second = captured(device.tensor([3, 4]), device.tensor([30, 40]));
    expect(Array.from(await second.sum.data())).toEqual([33, 44]);
    expect(Array.from(await second.twice.data())).toEqual([6, 8]);
    expect(Array.from(await first.sum.data())).toEqual([33, 44]);
    const other = captured(device.tensor([1, 2, 3]), device.tensor([1, 1, 1]));
    expect(Array.from(await other.sum.data())).toEqual([2, 3, 4]);
    expect(Array.from(await second.sum.data())).toEqual([33, 44]);
  });

  it('refuses captures within captures, and works afterwards', async () => {
    using device = await createDevice();
    const x = new Float32Array([1]);
    const inner = device.capture((a: Tensor) => a.mul(2));
    const outer = device.capture((a: Tensor) => inner(a));
    expect(() => outer(x)).toThrow('capture: a capture is running already');
    expect(Array.from(await device.ones([2]).mul(3).data())).toEqual([3, 3]);
  });
});
