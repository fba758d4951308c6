import type { Device } from '../device.js';
import { conv2d } from '../ops/conv.js';
import { mul } from '../ops/elementwise.js';
import { matmul } from '../ops/linear.js';
import { sum } from '../ops/reduce.js';

export interface SelfTestResult {
  name: string;
  passed: boolean;
  detail: string;
  ms: number;
}

/** Runs a few kernels whose results are whole numbers, so that they must be exact. */
export async function selfTest(device: Device): Promise<SelfTestResult[]> {
  const results: SelfTestResult[] = [];
  const test = async (name: string, run: () => Promise<string | null>): Promise<void> => {
    const start = performance.now();
    let problem: string | null;
    try {
      problem = await device.scope(run);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    const ms = performance.now() - start;
    results.push({ name, passed: problem === null, detail: problem ?? 'exact', ms });
  };
  const integers = (shape: number[], seed: number) =>
    device.tensor(
      Float32Array.from(
        { length: shape.reduce((a, b) => a * b, 1) },
        (_, i) => (((i * 2654435761 + seed) >>> 7) % 7) - 3,
      ),
      shape,
    );

  await test('matmul 33×17×29', async () => {
    const [a, b] = [integers([33, 17], 1), integers([17, 29], 2)];
    const [x, y] = [await a.data(), await b.data()];
    const got = await matmul(a, b).data();
    return firstDifference(got, (i) => {
      let want = 0;
      for (let k = 0; k < 17; k++) want += x[Math.floor(i / 29) * 17 + k] * y[k * 29 + (i % 29)];
      return want;
    });
  });

  await test('conv2d and its gradients', async () => {
    const x = integers([2, 9, 9, 8], 3);
    const w = integers([3, 3, 8, 8], 4);
    x.requiresGrad = true;
    w.requiresGrad = true;
    const y = conv2d(x, w, { padding: 'same' });
    const plain = conv2d(x, w, { padding: 'same', variant: 'naive' });
    const [fast, slow] = [await y.data(), await plain.data()];
    const difference = firstDifference(fast, (i) => slow[i]);
    if (difference) return `forward: ${difference}`;
    // The sum's gradient with respect to x and w obeys Σ x·dx = Σ w·dw = Σ y.
    const total = await sum(y.detach()).item();
    sum(y).backward();
    const xTotal = await sum(mul(x.detach(), x.grad!)).item();
    const wTotal = await sum(mul(w.detach(), w.grad!)).item();
    return xTotal === total && wTotal === total
      ? null
      : `Σy is ${total}, Σx·dx is ${xTotal}, Σw·dw is ${wTotal}`;
  });

  await test('reduction of 100,000 values', async () => {
    const got = await sum(device.ones([100_000])).item();
    return got === 100_000 ? null : `got ${got}`;
  });

  await test('random numbers repeat', async () => {
    const { random } = device.runtime;
    const before = random.position;
    const first = await device.uniform([1000]).data();
    random.position = before;
    const second = await device.uniform([1000]).data();
    return firstDifference(second, (i) => first[i]);
  });
  return results;
}

function firstDifference(got: ArrayLike<number>, want: (i: number) => number): string | null {
  for (let i = 0; i < got.length; i++) {
    if (got[i] !== want(i)) return `element ${i}: got ${got[i]}, want ${want(i)}`;
  }
  return null;
}
