import { beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../src/device.js';
import type { GpuArray } from '../../src/gpu/array.js';
import { reduceGeometry } from '../../src/kernels/lib/reduce_geometry.js';
import {
  reduceArray,
  sumLeadingAxes,
  sumToShape,
  type ReduceKind,
} from '../../src/kernels/reduce.js';
import { testDevice } from '../helpers/device.js';
import { fillInput } from '../helpers/fill.js';

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

function upload(shape: number[], values: ArrayLike<number>): GpuArray {
  const array = device.runtime.alloc(shape);
  device.runtime.write(array, Float32Array.from(values));
  return array;
}

async function download(array: GpuArray): Promise<number[]> {
  const values = Array.from(new Float32Array(await device.runtime.read(array)));
  array.release();
  return values;
}

function columnSums(values: ArrayLike<number>, k: number): number[] {
  const sums = new Array<number>(k).fill(0);
  Array.from(values).forEach((value, i) => (sums[i % k] += value));
  return sums;
}

describe('a long array that comes to one number', () => {
  const values = Float32Array.from({ length: 64 * 256 * 2 }, (_, i) => ((i * 31) % 1009) - 504);
  it.each<[ReduceKind, number]>([
    ['sum', 3 * values.reduce((total, value) => total + value, 0)],
    ['max', 504],
    ['min', -504],
  ])('%s', async (kind, wanted) => {
    const x = upload([values.length], values);
    const geometry = reduceGeometry(x.shape, [0])!;
    const scale = kind === 'sum' ? 3 : 1;
    expect(await download(reduceArray(device.runtime, x, geometry, kind, { scale }))).toEqual([
      wanted,
    ]);
    x.release();
  });
});

describe('sumLeadingAxes: the gradient of a bias', () => {
  const shapes = [
    [64 * 14 * 14, 64],
    [4 * 28 * 28, 32],
    [2, 7, 8, 5],
    [64, 10],
    [1000, 1],
    [1, 12],
    [65, 4],
    [7],
  ];
  for (const shape of shapes) {
    it(`sums [${shape.join(' ')}], in one pass and in slices, to the same integers`, async () => {
      const values = fillInput({ shape, fill: 'integers' }, 5);
      const k = shape[shape.length - 1];
      const x = upload(shape, values);
      for (const variant of [undefined, 'naive', 'sliced'] as const) {
        const sum = sumLeadingAxes(device.runtime, x, { variant });
        expect(sum.shape).toEqual([k]);
        expect(await download(sum)).toEqual(columnSums(values, k));
      }
      x.release();
    });
  }

  it('stays within the bound over 12,544 rows of normal numbers', async () => {
    const [rows, k] = [64 * 14 * 14, 64];
    const values = fillInput({ shape: [rows, k] }, 6);
    const x = upload([rows, k], values);
    const got = await download(sumLeadingAxes(device.runtime, x));
    const wanted = columnSums(values, k);
    const sizes = columnSums(values.map(Math.abs), k);
    got.forEach((value, i) => {
      const allowed = (8 + Math.sqrt(rows)) * 2 ** -24 * sizes[i];
      expect(Math.abs(value - wanted[i])).toBeLessThanOrEqual(allowed);
    });
    x.release();
  });

  it('gives every temporary array back', () => {
    const x = upload([5000, 8], new Float32Array(40000));
    const before = device.memory.liveBytes;
    const sum = sumLeadingAxes(device.runtime, x);
    const held = device.memory.liveBytes - before;
    sum.release();
    x.release();
    expect(held).toBeLessThanOrEqual(256);
  });
});

describe('reduceArray', () => {
  const long: [number[], number[]][] = [
    [[3, 5000], [1]],
    [[5000, 3], [0]],
    [
      [300, 4, 50],
      [0, 2],
    ],
    [[2, 700, 8], [1]],
    [[20000], [0]],
  ];
  for (const [shape, axes] of long) {
    it(`agrees with one thread per output: [${shape.join(' ')}] over ${axes.join(', ')}`, async () => {
      const x = upload(shape, fillInput({ shape, fill: 'integers' }, 7));
      const geometry = reduceGeometry(shape, axes)!;
      const center = upload([geometry.outputs], new Float32Array(geometry.outputs).fill(2));
      for (const kind of ['sum', 'max', 'min', 'deviation', 'ties'] satisfies ReduceKind[]) {
        const run = (variant: 'naive' | 'sliced') =>
          download(reduceArray(device.runtime, x, geometry, kind, { center, variant, scale: 0.5 }));
        expect(await run('sliced'), kind).toEqual(await run('naive'));
      }
      x.release();
      center.release();
    });
  }

  it('lets a NaN through max and min, wherever it stands', async () => {
    for (const at of [0, 63, 64, 199]) {
      const values = Float32Array.from({ length: 200 }, (_, i) => (i === at ? NaN : i - 100));
      const x = upload([200], values);
      const geometry = reduceGeometry([200], [0])!;
      for (const kind of ['max', 'min'] as const) {
        for (const variant of ['naive', 'sliced'] as const) {
          const y = reduceArray(device.runtime, x, geometry, kind, { variant });
          expect(await download(y), `${kind} at ${at}, ${variant}`).toEqual([NaN]);
        }
      }
      x.release();
    }
  });
});

describe('sumToShape', () => {
  it('sums over every axis that was repeated', async () => {
    const shape = [2, 3, 4, 5];
    const values = Array.from({ length: 120 }, (_, i) => i % 7);
    const gradient = upload(shape, values);
    const wanted = new Array<number>(10).fill(0);
    values.forEach((value, i) => (wanted[Math.floor(i / 60) * 5 + (i % 5)] += value));
    const sum = sumToShape(device.runtime, gradient, [2, 1, 1, 5]);
    expect(sum.shape).toEqual([2, 1, 1, 5]);
    expect(await download(sum)).toEqual(wanted);
  });

  it('passes a gradient of the right shape on without a kernel', () => {
    const gradient = upload([3], [1, 2, 3]);
    expect(sumToShape(device.runtime, gradient, [3])).toBe(gradient);
    gradient.release();
  });
});
