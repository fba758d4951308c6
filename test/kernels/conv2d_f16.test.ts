import { describe, expect, it } from 'vitest';
import { conv2d } from '../../src/autograd/ops/conv2d.js';
import { castArray } from '../../src/kernels/cast.js';
import {
  conv2dForward,
  conv2dGradInput,
  conv2dGradWeight,
} from '../../src/kernels/conv2d/conv2d.js';
import { f32Operands } from '../../src/kernels/conv2d/geometry.js';
import { conv2dReference } from '../../src/reference/conv2d.js';
import { resolved, supported } from '../helpers/conv2d_variants.js';
import { expectCoverage } from '../helpers/coverage.js';
import { testDevice } from '../helpers/device.js';

expectCoverage('conv2d_f16', null, testDevice);

/** Integers of −20 … 180: exact in f16, while their sums leave its range. */
const values = (size: number, step: number) =>
  Float64Array.from({ length: size }, (_, i) => ((i * step) % 201) - 20);

const shapes: [note: string, x: number[], w: number[], options: object][] = [
  ['channels in fours', [2, 6, 5, 8], [3, 3, 8, 12], { padding: 1 }],
  ['stride 2, any channels', [1, 9, 8, 5], [3, 3, 5, 7], { stride: 2 }],
  ['1×1', [1, 4, 5, 12], [1, 1, 12, 8], {}],
  ['groups', [1, 6, 6, 8], [3, 3, 4, 8], { groups: 2, padding: 'same' }],
];

describe('conv2d of f16 operands sums in f32', () => {
  it.each(shapes)('%s', async (_note, xShape, wShape, options) => {
    const device = await testDevice();
    const { runtime, info } = device;
    if (!info.features.includes('shader-f16')) {
      console.log(`skipped: ${info.description} has no shader-f16`);
      return;
    }
    const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
    const x = { shape: xShape, data: values(size(xShape), 7) };
    const w = { shape: wShape, data: values(size(wShape), 13) };
    const { y } = conv2dReference.forward({ x, w }, options);
    const dy = { shape: [...y.shape], data: values(y.data.length, 3) };
    const gradients = conv2dReference.backward({ x, w }, options, dy);
    expect(Math.max(...y.data)).toBeGreaterThan(65504);

    const upload = ({ shape, data }: { shape: number[]; data: Float64Array }) =>
      device.tensor(Float32Array.from(data), shape);
    const [wideX, wideW, wideDy] = [upload(x), upload(w), upload(dy)];
    const x16 = castArray(runtime, wideX.gpuArray, 'f16');
    const w16 = castArray(runtime, wideW.gpuArray, 'f16');
    const { geometry, types } = conv2d.shape({ x: x16, w: w16 }, options);
    expect(types).toEqual({ x: 'f16', w: 'f16' });

    const check = async (what: string, got: typeof x16, wanted: ArrayLike<number>) => {
      expect(got.dtype).toBe('f32');
      const bytes = await runtime.read(got);
      got.release();
      expect(Array.from(new Float32Array(bytes)), what).toEqual(Array.from(wanted));
    };
    const narrow = supported('forward', geometry, info, types);
    expect(narrow).toEqual(expect.arrayContaining(['naive', 'tiled']));
    for (const variant of narrow) {
      const dz = wideDy.gpuArray;
      const both = conv2dForward(runtime, x16, w16, undefined, geometry, { variant });
      await check(`y of ${variant}`, both, y.data);
      const half = conv2dForward(runtime, wideX.gpuArray, w16, undefined, geometry, { variant });
      await check(`y of ${variant}, x f32`, half, y.data);
      const dx = conv2dGradInput(runtime, dz, w16, geometry, { variant });
      await check(`dx of ${variant}`, dx, gradients.x.data);
      const dw = conv2dGradWeight(runtime, x16, dz, geometry, { variant });
      await check(`dw of ${variant}`, dw, gradients.w.data);
    }
    x16.release();
    w16.release();
  });

  it('converts operands where a software adapter has faster kernels of f32', async () => {
    const { info } = await testDevice();
    const meta = (shape: number[]) => ({ shape, dtype: 'f16' as const });
    const inputs = { x: meta([1, 8, 8, 8]), w: meta([3, 3, 8, 8]) };
    const { geometry, types } = conv2d.shape(inputs, {});
    const software = { ...info, isSoftware: true, subgroupMinSize: 8, subgroupMaxSize: 8 };
    software.features = [...info.features, 'subgroups'];
    const all = (name: string) => ({ forward: name, gradInput: name, gradWeight: name });
    expect(resolved(undefined, geometry, software, types)).toEqual(all('upcast'));
    expect(resolved(undefined, geometry, { ...info, isSoftware: false }, types)).not.toEqual(
      expect.objectContaining({ forward: 'upcast' }),
    );
    const grouped = { x: meta([1, 8, 8, 8]), w: meta([3, 3, 4, 8]) };
    const other = conv2d.shape(grouped, { groups: 2 });
    expect(resolved(undefined, other.geometry, software, types)).toEqual(all('naive'));
    expect(() => resolved('upcast', geometry, info)).toThrow(/it needs an operand of f16/);
  });

  it('refuses kernels that read f32 alone', async () => {
    const { info } = await testDevice();
    const meta = (shape: number[]) => ({ shape, dtype: 'f16' as const });
    const inputs = { x: meta([1, 8, 8, 8]), w: meta([3, 3, 8, 8]) };
    const { geometry, types } = conv2d.shape(inputs, {});
    expect(resolved('winograd2', geometry, info, f32Operands).forward).toBe('winograd2');
    expect(() => resolved('winograd2', geometry, info, types)).toThrow(
      /variant 'winograd2' does not fit, it needs operands of f32\nfix: use one of naive, tiled/,
    );
  });
});
