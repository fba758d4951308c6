import { beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../src/device.js';
import { collectGarbage } from '../../src/gpu/platform/node.js';
import { optim, type Tensor } from '../../src/index.js';
import { testDevice } from '../helpers/device.js';

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

/** Waits until the collector has told of every tensor nobody holds. */
async function collected(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    collectGarbage();
    // Finalizers run in a task of their own.
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A small network with everything a training step has, and its plain step. */
function makeStep(): { step: (x: Tensor, labels: Tensor) => Tensor; dispose: () => void } {
  const w1 = device.randn([6, 16], { standardDeviation: 0.3, requiresGrad: true });
  const w2 = device.randn([16, 3], { standardDeviation: 0.3, requiresGrad: true });
  const optimizer = new optim.Adam([w1, w2], { lr: 0.01 });
  const step = (x: Tensor, labels: Tensor): Tensor => {
    optimizer.zeroGrad();
    const hidden = x.matmul(w1).relu().dropout({ rate: 0.2 });
    const loss = hidden.matmul(w2).softmaxCrossEntropy(labels);
    loss.backward();
    optimizer.step();
    return loss;
  };
  const dispose = (): void => {
    optimizer.dispose();
    for (const w of [w1, w2]) w.dispose();
  };
  return { step, dispose };
}

const inputs = (seed: number): Float32Array =>
  Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * 1.7 + seed));
const classes = (seed: number): Int32Array =>
  Int32Array.from({ length: 4 }, (_, i) => (i + seed) % 3);

describe('memory', () => {
  it('scope frees all but what it returns, in nested results too', async () => {
    const before = device.memory.liveBuffers;
    const kept = device.scope(() => {
      const x = device.ones([4]);
      const y = x.mul(2);
      y.add(1);
      return { pair: [y, device.ones([2])] };
    });
    expect(device.memory.liveBuffers).toBe(before + 2);
    expect(Array.from(await kept.pair[0].data())).toEqual([2, 2, 2, 2]);
    for (const tensor of kept.pair) tensor.dispose();
    expect(device.memory.liveBuffers).toBe(before);
  });

  it('scope works with async functions and frees after errors', async () => {
    const before = device.memory.liveBuffers;
    const sum = await device.scope(async () => device.ones([4]).sum().item());
    expect(sum).toBe(4);
    expect(() =>
      device.scope(() => {
        device.ones([4]);
        throw new Error('inside');
      }),
    ).toThrow('inside');
    await expect(
      device.scope(async () => {
        await device.ones([4]).data();
        throw new Error('later');
      }),
    ).rejects.toThrow('later');
    expect(device.memory.liveBuffers).toBe(before);
  });

  it('refuses a second async function until the first has finished', async () => {
    const before = device.memory.liveBuffers;
    let finish = (): void => {};
    const gate = new Promise<void>((resolve) => (finish = resolve));
    const first = device.scope(async () => {
      const kept = device.ones([4]);
      await gate;
      return kept;
    });
    let ran = false;
    const refusal =
      'scope: expected no other async function inside scope, but one has not finished';
    const second = async () => {
      ran = true;
    };
    expect(() => device.scope(second)).toThrow(refusal);
    expect(ran).toBe(false);
    // A function that returns a promise is known to be async only once it has begun.
    expect(() => device.scope(() => Promise.reject(new Error('unheard')))).toThrow(refusal);
    expect(device.scope(() => device.ones([2]).size)).toBe(2);
    finish();
    const kept = await first;
    expect([...(await kept.data())]).toEqual([1, 1, 1, 1]);
    kept.dispose();
    await device.scope(second);
    expect(ran).toBe(true);
    expect(device.memory.liveBuffers).toBe(before);
  });

  it('an outer scope frees what an inner one kept', () => {
    const before = device.memory.liveBuffers;
    device.scope(() => {
      device.scope(() => device.ones([4]));
      expect(device.memory.liveBuffers).toBe(before + 1);
    });
    expect(device.memory.liveBuffers).toBe(before);
  });

  it('using gives a tensor back at the end of its block', () => {
    const before = device.memory.liveBuffers;
    {
      using x = device.ones([4]);
      expect(x.size).toBe(4);
      expect(device.memory.liveBuffers).toBe(before + 1);
    }
    expect(device.memory.liveBuffers).toBe(before);
  });

  it('backward gives activations back to the pool', () => {
    const before = device.memory.liveBuffers;
    device.scope(() => {
      const x = device.ones([64], { requiresGrad: true });
      const loss = x.mul(2).relu().mul(3).sum();
      expect(device.memory.liveBuffers).toBeGreaterThan(before + 3);
      loss.backward();
      // Left: x, its gradient, the loss.
      expect(device.memory.liveBuffers).toBe(before + 3);
    });
    expect(device.memory.liveBuffers).toBe(before);
  });

  it('300 plain steps without scope or dispose stay flat', async () => {
    await collected();
    const start = device.memory.liveBuffers;
    const { step, dispose } = makeStep();
    /** Fifty steps; nothing of them is held when it returns. */
    const fifty = async (from: number): Promise<number> => {
      let loss: Tensor | undefined;
      for (let i = from; i < from + 50; i++) {
        loss = step(device.tensor(inputs(i), [4, 6]), device.tensor(classes(i)));
      }
      return loss!.item();
    };
    const live: number[] = [];
    const bytes: number[] = [];
    for (let from = 0; from < 300; from += 50) {
      expect(await fifty(from)).toBeLessThan(10);
      await collected();
      live.push(device.memory.liveBuffers);
      bytes.push(device.memory.liveBytes + device.memory.pooledBytes);
    }
    expect(new Set(live).size, `live buffers ${live.join()}`).toBe(1);
    // What fifty steps need is there after the first fifty: no more is ever allocated.
    expect(new Set(bytes).size, `bytes ${bytes.join()}`).toBe(1);
    dispose();
    await collected();
    expect(device.memory.liveBuffers).toBe(start);
  });

  it('a hand-written loop is collected in time without being asked', async () => {
    await collected();
    const start = device.memory.liveBuffers;
    const { step, dispose } = makeStep();
    let most = 0;
    for (let i = 0; i < 1000; i++) {
      await step(device.tensor(inputs(i), [4, 6]), device.tensor(classes(i))).item();
      most = Math.max(most, device.memory.liveBuffers);
    }
    // 3,000 tensors were dropped; a collection is due at the latest after 512.
    expect(most - start).toBeLessThan(1200);
    dispose();
    await collected();
  });

  it('steps in a scope need no collector', () => {
    const { step, dispose } = makeStep();
    const live: number[] = [];
    for (let i = 0; i < 20; i++) {
      device.scope(() => {
        step(device.tensor(inputs(i), [4, 6]), device.tensor(classes(i)));
      });
      live.push(device.memory.liveBuffers);
    }
    expect(new Set(live).size, `live buffers ${live.join()}`).toBe(1);
    dispose();
  });

  it('graphs that never run backward are collected', async () => {
    await collected();
    const before = device.memory.liveBuffers;
    const x = device.ones([8], { requiresGrad: true });
    for (let i = 0; i < 10; i++) x.mul(x).relu().sum();
    await collected();
    expect(device.memory.liveBuffers).toBe(before + 1);
    x.dispose();
  });
});
