import { beforeAll, describe, expect, it } from 'vitest';
import { unaryRecords, type UnaryName } from '../../src/autograd/ops/unary.js';
import { reduceRecords } from '../../src/autograd/ops/reduce.js';
import { binaryRecords } from '../../src/autograd/ops/binary.js';
import type { Device } from '../../src/device.js';
import { castArray } from '../../src/kernels/cast.js';
import { broadcastGeometry, fitsVectors } from '../../src/kernels/lib/broadcast.js';
import * as elementwise from '../../src/ops/elementwise.js';
import { argmax, max, mean, min, sum, variance } from '../../src/ops/reduce.js';
import { erf } from '../../src/reference/lib/scalar_functions.js';
import { roundToF16 } from '../../src/reference/cast.js';
import { binaryReference } from '../../src/reference/binary.js';
import { Tensor } from '../../src/tensor.js';
import { runOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';
import { fillCase } from '../helpers/fill.js';
import { opCase } from '../cases/types.js';

const { activate, activations, add, cast, clip, div, leakyRelu, maximum, minimum, mul, pow, sub } =
  elementwise;

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const tensor = (values: Parameters<Device['tensor']>[0]) => device.tensor(values);
const valuesOf = async (y: Tensor) => Array.from(await y.data());

/** Runs a function of one number on the GPU. */
async function applied(name: UnaryName, values: number[], options = {}): Promise<number[]> {
  const fn = elementwise[name] as (x: Tensor, options?: object) => Tensor;
  return valuesOf(fn(tensor(values), options));
}

describe('the examples of the doc comments', () => {
  const unary: [UnaryName, number[], number[], object?][] = [
    ['relu', [-1, 2], [0, 2]],
    ['relu6', [-1, 2, 9], [0, 2, 6]],
    ['leakyRelu', [-4, 2], [-2, 2], { alpha: 0.5 }],
    ['elu', [0, 2], [0, 2]],
    ['gelu', [0, 20], [0, 20]],
    ['sigmoid', [0, 100], [0.5, 1]],
    ['silu', [0, 100], [0, 100]],
    ['hardSwish', [-4, 0, 6], [0, 0, 6]],
    ['tanh', [0, 50], [0, 1]],
    ['softplus', [-200, 100], [0, 100]],
    ['exp', [0], [1]],
    ['log', [1], [0]],
    ['sqrt', [0, 4], [0, 2]],
    ['square', [-3, 2], [9, 4]],
    ['abs', [-3, 2], [3, 2]],
    ['neg', [-3, 2], [3, -2]],
    ['clip', [-3, 1, 9], [-2, 1, 5], { min: -2, max: 5 }],
  ];
  it('covers every function of one number', () => {
    expect(unary.map(([name]) => name).sort()).toEqual(Object.keys(unaryRecords).sort());
  });
  for (const [name, x, wanted, options] of unary) {
    it(name, async () => {
      const got = await applied(name, x, options);
      got.forEach((value, i) => expect(value + 0).toBe(wanted[i]));
    });
  }

  it('arithmetic', async () => {
    const rows = add(tensor([[1, 2], [3, 4]]), tensor([10, 20])); // prettier-ignore
    expect(await rows.array()).toEqual([[11, 22], [13, 24]]); // prettier-ignore
    expect(await valuesOf(sub(tensor([3, 4]), 1))).toEqual([2, 3]);
    expect(await valuesOf(mul(tensor([3, 4]), 2))).toEqual([6, 8]);
    expect(await valuesOf(div(tensor([3, 4]), 2))).toEqual([1.5, 2]);
    expect(await valuesOf(pow(tensor([-3, 4]), 2))).toEqual([9, 16]);
    expect(await valuesOf(maximum(tensor([3, 4]), tensor([5, 1])))).toEqual([5, 4]);
    expect(await valuesOf(minimum(tensor([3, 4]), tensor([5, 1])))).toEqual([3, 1]);
  });

  it('hardSwish of large numbers is the number', async () => {
    const large = Math.fround(1e38);
    expect(await applied('hardSwish', [large, -large, 3e38])).toEqual([
      large,
      -0,
      Math.fround(3e38),
    ]);
  });

  it('where and cast', async () => {
    const condition = device.tensor([1, 0], [2], { dtype: 'u32' });
    expect(await valuesOf(elementwise.where(condition, tensor([3, 4]), -1))).toEqual([3, -1]);
    expect(await valuesOf(cast(tensor([1.7, -1.7]), 'i32'))).toEqual([1, -1]);
  });

  it('reductions', async () => {
    const x = tensor([[1, 2], [3, 6]]); // prettier-ignore
    expect(await valuesOf(sum(x, { axis: 0 }))).toEqual([4, 8]);
    expect(await mean(x).item()).toBe(3);
    expect(await valuesOf(max(x, { axis: 1 }))).toEqual([2, 6]);
    expect(await valuesOf(min(x, { axis: 1 }))).toEqual([1, 3]);
    expect(await valuesOf(variance(x, { axis: 0, correction: 1 }))).toEqual([2, 8]);
    const ties = tensor([[1, 5], [7, 7]]); // prettier-ignore
    expect(await valuesOf(argmax(ties, { axis: 1 }))).toEqual([1, 0]);
  });
});

describe('functions of one number', () => {
  it('activate runs the activation it names, and refuses others by name', async () => {
    for (const name of activations) {
      const x = [-2.5, -0.25, 0.75, 3.5];
      expect(await valuesOf(activate(tensor(x), name)), name).toEqual(await applied(name, x));
    }
    expect(() => activate(tensor([1]), 'swish' as never)).toThrow(/^activate: .*relu.*got swish/);
  });

  it('take exp and log of what is not finite, negative or zero as IEEE 754 does', async () => {
    const exp = await applied('exp', [NaN, Infinity, -Infinity, 0]);
    expect([...exp]).toEqual([NaN, Infinity, 0, 1]);
    const log = await applied('log', [NaN, -1, -Infinity, Infinity, 0, -0, 1]);
    expect([...log]).toEqual([NaN, NaN, NaN, Infinity, -Infinity, -Infinity, 0]);
  });

  it('let a NaN through', async () => {
    for (const name of Object.keys(unaryRecords) as UnaryName[]) {
      const options = name === 'clip' ? { min: -1, max: 1 } : {};
      const [y, one] = await applied(name, [NaN, 0.5], options);
      expect(y, name).toBeNaN();
      expect(one, name).not.toBeNaN();
    }
  });

  // Relative to the value itself, which the bound of the ladder does not ask for.
  it('keep their precision where the plain formula cancels', async () => {
    const small = [-1e-4, -1e-6, 1e-6, 3e-4];
    const near = (got: number[], wanted: number[], units: number, name: string) =>
      got.forEach((value, i) => {
        const error = Math.abs(value - wanted[i]);
        expect(error, `${name}: ${value}, want ${wanted[i]}`).toBeLessThanOrEqual(
          units * 2 ** -24 * Math.abs(wanted[i]),
        );
      });
    const x = small.map(Math.fround);
    near(await applied('tanh', x), x.map(Math.tanh), 4, 'tanh');
    near(await applied('elu', x), x.map((v) => (v > 0 ? v : Math.expm1(v))), 4, 'elu'); // prettier-ignore
    const low = [-30, -20, -12];
    near(await applied('softplus', low), low.map((v) => Math.log1p(Math.exp(v))), 64, 'softplus'); // prettier-ignore
    near(await applied('sigmoid', low), low.map((v) => 1 / (1 + Math.exp(-v))), 64, 'sigmoid'); // prettier-ignore
    const middle = [-2, -1.5, -1, -0.5, 0.5, 1, 1.4, 1.5, 2, 3];
    near(await applied('gelu', middle), middle.map((v) => 0.5 * v * (1 + erf(v / Math.SQRT2))), 24, 'gelu'); // prettier-ignore
  });

  it('of very large numbers stay finite where their limits are', async () => {
    expect(await applied('sigmoid', [-1e30, 1e30])).toEqual([0, 1]);
    expect(await applied('tanh', [-1e30, 1e30])).toEqual([-1, 1]);
    expect((await applied('gelu', [-1e18, 1e18])).map((v) => v + 0)).toEqual([0, Math.fround(1e18)]); // prettier-ignore
    expect(await applied('gelu', [1e18], { approximate: 'tanh' })).toEqual([Math.fround(1e18)]);
  });

  it('refuse parameters that make no sense', () => {
    const x = tensor([1, 2]);
    expect(() => leakyRelu(x, { alpha: NaN })).toThrow(/^leakyRelu: alpha .*got NaN/);
    expect(() => clip(x, {})).toThrow(/^clip: expected a number for min, max or both/);
    expect(() => elementwise.gelu(x, { approximate: 'erf' as never })).toThrow(
      /^gelu: approximate must be 'none' or 'tanh', got "erf"/,
    );
    const integers = device.tensor([1, 2], undefined, { dtype: 'i32' });
    expect(() => elementwise.exp(integers)).toThrow(/^exp: x must be of type f32, got i32/);
  });
});

describe('functions of two', () => {
  it('pow of any base: whole exponents keep or drop the sign, others are NaN', async () => {
    const a = [-2, -2, -2, 0, 0, 0, 3, -1, NaN, NaN, 2, 0, -8, -Infinity, -Infinity, Infinity];
    const b = [3, -2, 0.5, 2, 0, -1, 0, 5, 0.5, 3, NaN, NaN, 1 / 3, 0.5, 3, 0.5];
    const got = await valuesOf(pow(tensor(a), tensor(b)));
    const wanted = a.map((base, i) => base ** b[i]);
    got.forEach((value, i) => {
      if (Number.isFinite(wanted[i])) expect(value).toBeCloseTo(wanted[i], 5);
      else expect(value).toBe(wanted[i]);
    });
  });

  it('the gradient of x² by pow is 2x for negative x and 0 at 0', async () => {
    const x = device.tensor([-3, 0, 2], undefined, { requiresGrad: true });
    sum(pow(x, 2)).backward();
    expect(await valuesOf(x.grad!)).toEqual([-6, 0, 4]);
  });

  it('take the same tensor twice, and sum both gradients', async () => {
    const x = device.tensor([1, -2, 3], undefined, { requiresGrad: true });
    sum(mul(x, x)).backward();
    expect(await valuesOf(x.grad!)).toEqual([2, -4, 6]);
  });

  it('let a NaN through maximum and minimum on either side', async () => {
    const [a, b] = [
      [NaN, 1, 2],
      [1, NaN, 3],
    ];
    expect(await valuesOf(maximum(tensor(a), tensor(b)))).toEqual([NaN, NaN, 3]);
    expect(await valuesOf(minimum(tensor(a), tensor(b)))).toEqual([NaN, NaN, 2]);
  });

  it('broadcast over six dimensions, each operand repeated along every other one', async () => {
    const sample = opCase(
      'six',
      {
        a: { shape: [2, 1, 3, 1, 2, 1], fill: 'integers' },
        b: { shape: [1, 3, 1, 2, 1, 4], fill: 'integers' },
      },
      { op: 'mul' },
    );
    const got = await runOp(device, binaryRecords.mul, sample, sample.options);
    const { y } = binaryReference.forward(fillCase(sample), { op: 'mul' });
    expect(got.yShape).toEqual([2, 3, 3, 2, 2, 4]);
    expect(Array.from(got.y, (v) => v + 0)).toEqual(Array.from(y.data, (v) => v + 0));
  });

  it('refuse more than six dimensions', () => {
    const x = device.ones([1, 1, 1, 1, 1, 1, 2]);
    expect(() => add(x, 1)).toThrow(/^add: expected at most 6 dimensions, got 7 \(a \[1 1 1 1 1 1 2\]/); // prettier-ignore
  });

  it('free the scalar that a number became', () => {
    device.scope(() => {
      const x = tensor([1, 2, 3]);
      const before = device.memory.liveBytes;
      const y = mul(x, 3);
      expect(device.memory.liveBytes - before).toBeLessThanOrEqual(y.gpuArray.storage.buffer.size);
    });
  });

  it('use vectors only where no operand changes its access within one', () => {
    const fits = (a: number[], b: number[], shape: number[]) =>
      fitsVectors(broadcastGeometry(shape, [a, b]));
    expect(fits([2, 3], [2, 3], [2, 3])).toBe(true);
    expect(fits([2, 3], [], [2, 3])).toBe(true);
    expect(fits([5, 8], [8], [5, 8])).toBe(true);
    expect(fits([5, 7], [7], [5, 7])).toBe(false);
    expect(fits([8, 8], [8, 1], [8, 8])).toBe(true);
    expect(fits([8, 7], [8, 1], [8, 7])).toBe(false);
    expect(fits([4, 1, 4], [1, 4, 1], [4, 4, 4])).toBe(false);
  });

  it('where takes conditions of every type, −0 counting as 0', async () => {
    const [a, b] = [tensor([1, 1, 1, 1]), tensor([2, 2, 2, 2])];
    const floats = tensor([0.5, 0, -0, -3]);
    expect(await valuesOf(elementwise.where(floats, a, b))).toEqual([1, 2, 2, 1]);
    const integers = device.tensor([-1, 0, 5, 0], undefined, { dtype: 'i32' });
    expect(await valuesOf(elementwise.where(integers, a, b))).toEqual([1, 2, 1, 2]);
  });
});

describe('cast', () => {
  it('unpacks bytes into every type, scaled on the way', async () => {
    const bytes = [0, 1, 127, 128, 255, 3, 77];
    const x = device.tensor(Uint8Array.from(bytes), undefined, { dtype: 'u8' });
    for (const dtype of ['f32', 'i32', 'u32'] as const) {
      expect(await valuesOf(cast(x, dtype)), dtype).toEqual(bytes);
    }
    const scaled = await valuesOf(cast(x, 'f32', { scale: 1 / 255 }));
    scaled.forEach((value, i) => expect(value).toBeCloseTo(bytes[i] / 255, 7));
    expect(scaled[4]).toBe(1);
  });

  it('packs bytes: rounded, halves to even, clamped', async () => {
    const x = tensor([-4, 0.4, 0.5, 1.5, 2.6, 254.7, 255.2, 1e9, 17]);
    expect(await valuesOf(cast(x, 'u8'))).toEqual([0, 0, 0, 2, 3, 255, 255, 255, 17]);
    const bytes = device.tensor(Uint8Array.from([10, 20, 200]), undefined, { dtype: 'u8' });
    expect(await valuesOf(cast(bytes, 'u8', { scale: 2 }))).toEqual([20, 40, 255]);
  });

  it('clamps between the integer types instead of wrapping', async () => {
    const signed = device.tensor([-5, 7, 2 ** 31 - 1], undefined, { dtype: 'i32' });
    const unsigned = device.tensor([5, 2 ** 31, 2 ** 32 - 1], undefined, { dtype: 'u32' });
    for (const variant of ['naive', 'vec4'] as const) {
      const run = async (x: Tensor, dtype: 'i32' | 'u32') => {
        const y = castArray(device.runtime, x.gpuArray, dtype, 1, variant);
        return valuesOf(Tensor.own(device.runtime, y));
      };
      expect(await run(signed, 'u32')).toEqual([0, 7, 2 ** 31 - 1]);
      expect(await run(unsigned, 'i32')).toEqual([5, 2 ** 31 - 1, 2 ** 31 - 1]);
    }
  });

  it('goes to f16 and back with the gradient passing', async (context) => {
    if (!device.info.features.includes('shader-f16')) {
      context.skip(`${device.info.description} has no shader-f16`);
    }
    const values = [0.1, -1.234567, 1000.3, 2 ** -15];
    for (const variant of ['naive', 'vec4'] as const) {
      const half = castArray(device.runtime, tensor(values).gpuArray, 'f16', 1, variant);
      const back = Tensor.own(device.runtime, half);
      expect(await valuesOf(back), variant).toEqual(values.map(Math.fround).map(roundToF16));
    }
    const x = device.tensor(values, undefined, { requiresGrad: true });
    const y = cast(cast(x, 'f16', { scale: 4 }), 'f32');
    sum(mul(y, tensor([1, 2, 3, 4]))).backward();
    expect(await valuesOf(x.grad!)).toEqual([4, 8, 12, 16]);
  });

  it('of the type a tensor has shares its memory', () => {
    const x = tensor([1, 2]);
    expect(cast(x, 'f32').gpuArray.storage).toBe(x.gpuArray.storage);
  });
});

describe('reductions', () => {
  it('variance far from zero does not cancel', async () => {
    const x = tensor(Array.from({ length: 1000 }, (_, i) => 10000 + (i % 2)));
    expect(await variance(x).item()).toBe(0.25);
  });

  it('refuse a type, an empty tensor, and axes in more than three runs', () => {
    expect(() => sum(device.tensor([1], undefined, { dtype: 'u32' }))).toThrow(
      /^sum: x must be of type f32/,
    );
    const empty = { x: { shape: [0, 4], dtype: 'f32' as const } };
    expect(() => reduceRecords.mean.shape(empty, {})).toThrow(/^mean: .*x \[0 4\]/);
    expect(() => max(device.ones([2, 2, 2, 2, 2, 2, 2]), { axis: [0, 2, 4, 6] })).toThrow(
      /^max: expected at most three separate runs/,
    );
  });

  it('argmax of a row that is longer than several workgroups finds the first of two maxima', async () => {
    const values = new Array<number>(1000).fill(0);
    values[700] = values[300] = 9;
    expect(await argmax(tensor(values)).item()).toBe(300);
  });
});
