import { beforeAll, describe, expect, it } from 'vitest';
import { DeviceError, GradError, ShapeError } from '../../src/errors.js';
import { createDevice, nn, noGrad, type Device, type Tensor } from '../../src/index.js';
import { randomNormal, randomUniform } from '../../src/reference/philox.js';
import { testDevice } from '../helpers/device.js';

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

describe('making tensors', () => {
  it('from nested numbers', async () => {
    const x = device.tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(x.shape).toEqual([2, 3]);
    expect(x.dtype).toBe('f32');
    expect(x.size).toBe(6);
    expect(Array.from(await x.data())).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await x.array()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(String(x)).toBe('Tensor(f32 [2, 3])');
  });

  it('from one number', async () => {
    const x = device.tensor(2.5);
    expect(x.shape).toEqual([]);
    expect(await x.item()).toBe(2.5);
    expect(await x.array()).toBe(2.5);
  });

  it.each([
    ['i32', new Int32Array([-1, 2 ** 31 - 1])],
    ['u32', new Uint32Array([0, 2 ** 32 - 1])],
    ['u8', new Uint8Array([0, 255, 7])],
    ['f32', new Float32Array([0.5, -1e30])],
  ] as const)('of %s from typed arrays', async (dtype, values) => {
    const x = device.tensor(values);
    expect(x.dtype).toBe(dtype);
    expect(await x.data()).toEqual(values);
  });

  it('copies the host values', async () => {
    const values = new Float32Array([1, 2]);
    const x = device.tensor(values);
    values.fill(9);
    expect(Array.from(await x.data())).toEqual([1, 2]);
  });

  it('in a shape and of a type that are asked for', async () => {
    const x = device.tensor([1, 2, 3, 4], [2, 2], { dtype: 'i32' });
    expect(x.dtype).toBe('i32');
    expect(await x.array()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('of i32 from 64-bit integers that fit', async () => {
    const labels = device.tensor(BigInt64Array.of(1n, -(2n ** 31n), 2n ** 31n - 1n));
    expect(labels.dtype).toBe('i32');
    expect(await labels.array()).toEqual([1, -(2 ** 31), 2 ** 31 - 1]);
    expect(await labels.assign(BigUint64Array.of(4n, 5n, 6n)).array()).toEqual([4, 5, 6]);
    const large = device.tensor(BigUint64Array.of(2n ** 32n - 1n), [1], { dtype: 'u32' });
    expect(await large.array()).toEqual([2 ** 32 - 1]);
    expect(await device.tensor(BigInt64Array.of(3n), [1], { dtype: 'f32' }).array()).toEqual([3]);
    const refused = /^tensor: i32 holds whole numbers from .* got 2147483648 at index 1\nfix: /;
    expect(() => device.tensor(BigInt64Array.of(1n, 2n ** 31n))).toThrow(refused);
  });

  it.each([
    [[1, 1.5], 'i32', '1\\.5 at index 1'],
    [[2 ** 40], 'i32', '1099511627776 at index 0'],
    [[0, 0, NaN], 'i32', 'NaN at index 2'],
    [[-1], 'u32', '-1 at index 0'],
    [[256], 'u8', '256 at index 0'],
    [[Infinity], 'u8', 'Infinity at index 0'],
  ] as const)('not of values that the type cannot hold: %j as %s', (values, dtype, said) => {
    const pattern = new RegExp(`^tensor: ${dtype} holds whole numbers from .* got ${said}\\nfix: `);
    expect(() => device.tensor([...values], undefined, { dtype })).toThrow(pattern);
    expect(() => device.tensor([...values], undefined, { dtype })).toThrow(ShapeError);
    const target = device.zeros([values.length], { dtype });
    expect(() => target.assign(values)).toThrow(pattern);
  });

  it('not of fills and steps that the type cannot hold', () => {
    expect(() => device.full([2], 1.5, { dtype: 'i32' })).toThrow(/^full: i32 holds .* got 1\.5/);
    expect(() => device.full([2], -1, { dtype: 'u8' })).toThrow(/^full: u8 holds .* got -1/);
    const halves = { step: 0.5, dtype: 'i32' } as const;
    expect(() => device.arange(3, halves)).toThrow(/^arange: i32 holds .* got 0\.5 at index 1/);
    const falling = { start: 1, step: -1, dtype: 'u32' } as const;
    expect(() => device.arange(3, falling)).toThrow(/^arange: u32 holds .* got -1 at index 2/);
  });

  it('of zeros, ones, one value and steps', async () => {
    expect(Array.from(await device.zeros([3]).data())).toEqual([0, 0, 0]);
    expect(Array.from(await device.ones([5]).data())).toEqual([1, 1, 1, 1, 1]);
    expect(Array.from(await device.full([2], -1.5).data())).toEqual([-1.5, -1.5]);
    expect(await device.full([3], 7, { dtype: 'u8' }).data()).toEqual(new Uint8Array([7, 7, 7]));
    expect(await device.zeros([2], { dtype: 'i32' }).data()).toEqual(new Int32Array(2));
    expect(await device.arange(4).array()).toEqual([0, 1, 2, 3]);
    expect(await device.arange([2, 2], { start: 1, step: 0.5 }).array()).toEqual([
      [1, 1.5],
      [2, 2.5],
    ]);
  });

  it('of random numbers, the same for the same seed', async () => {
    using first = await createDevice({ seed: 11 });
    using second = await createDevice({ seed: 11 });
    const draw = async (on: Device) => [
      Array.from(await on.uniform([9]).data()),
      Array.from(await on.randn([9], { mean: 1, standardDeviation: 2 }).data()),
    ];
    const [uniform, normal] = await draw(first);
    expect(await draw(second)).toEqual([uniform, normal]);
    expect(uniform).toEqual(Array.from(randomUniform(9, { seed: 11, stream: 0, draw: 0 })));
    const wanted = randomNormal(9, { seed: 11, stream: 0, draw: 1 });
    normal.forEach((value, i) => expect(value).toBeCloseTo(1 + 2 * wanted[i], 5));
  });

  it('of random numbers, others for another seed beyond 32 bits', async () => {
    using first = await createDevice({ seed: 3 });
    using second = await createDevice({ seed: 3 + 2 ** 32 });
    const a = Array.from(await first.uniform([4]).data());
    const b = Array.from(await second.uniform([4]).data());
    expect(b).not.toEqual(a);
    expect(b).toEqual(Array.from(randomUniform(4, { seed: 3, stream: 1, draw: 0 })));
  });

  it('refuses shapes that do not fit, by name', () => {
    const cases: [() => Tensor, string][] = [
      [() => device.tensor([1, 2, 3], [2]), 'tensor: shape [2] holds 2 values, got 3'],
      [() => device.tensor([[1, 2], [3]]), 'tensor: nested values are ragged at depth 1'],
      [() => device.tensor([[1], 2] as number[][]), 'tensor: nested values are ragged'],
      [() => device.zeros([2, 0]), 'full: expected positive whole numbers as shape, got [2, 0]'],
      [() => device.randn([1.5]), 'randn: expected positive whole numbers as shape, got [1.5]'],
      [() => device.uniform([-1]), 'uniform: expected positive whole numbers as shape, got [-1]'],
      [() => device.arange([0]), 'arange: expected positive whole numbers as shape, got [0]'],
    ];
    for (const [make, text] of cases) {
      expect(make).toThrow(ShapeError);
      expect(make).toThrow(text);
    }
  });

  it('has no adapter of a name that does not exist', async () => {
    const open = createDevice({ adapter: 'no such adapter' });
    await expect(open).rejects.toThrow(DeviceError);
    await expect(open).rejects.toThrow('device: no adapter contains "no such adapter"; found "');
  });
});

describe('using tensors', () => {
  it('item needs one element', async () => {
    await expect(device.ones([2]).item()).rejects.toThrow(
      'item: expected one element, got a tensor [2]',
    );
  });

  it('says what released a tensor', () => {
    const x = device.ones([2]);
    x.dispose();
    x.dispose();
    expect(x.isDisposed).toBe(true);
    expect(() => x.relu()).toThrow('tensor [2] was released by dispose()');
  });

  it('assign keeps the memory and checks the shape', async () => {
    const x = device.zeros([2, 2]);
    const { storage } = x.gpuArray;
    x.assign([
      [1, 2],
      [3, 4],
    ]);
    expect(Array.from(await x.data())).toEqual([1, 2, 3, 4]);
    x.assign(device.full([2, 2], 5));
    expect(Array.from(await x.data())).toEqual([5, 5, 5, 5]);
    expect(x.gpuArray.storage).toBe(storage);
    expect(() => x.assign([1])).toThrow('assign: expected 4 values for [2, 2], got 1');
    expect(() => x.assign(device.ones([4]))).toThrow('assign: expected f32 [2, 2], got f32 [4]');
  });

  it('refuses values, types and seeds that are none', async () => {
    const wrong = (values: unknown, dtype?: string) => () =>
      device.tensor(values as number[], undefined, { dtype: dtype as 'f32' });
    expect(wrong([1, null])).toThrow(
      'tensor: expected numbers, nested or as a typed array, got null',
    );
    expect(wrong(undefined)).toThrow('got undefined');
    expect(wrong([1], 'f64')).toThrow(
      'tensor: dtype must be one of f32, f16, i32, u32, u8, got f64',
    );
    expect(() => new nn.Dense(device, { inFeatures: 3, outFeatures: NaN })).toThrow(
      'expected positive whole numbers as shape, got f32 [3, NaN]',
    );
    expect(() => new nn.Sequential([new nn.ReLU()] as unknown as nn.ReLU)).toThrow(
      'Sequential: layer 0 must be a module, got an array',
    );
    await expect(createDevice({ seed: 1.5 })).rejects.toThrow('seed must be a whole number');
  });

  it('refuses values and gradients of another device, and stays usable', async () => {
    const other = await createDevice();
    const there = other.zeros([2]);
    const here = device.ones([2], { requiresGrad: true });
    expect(() => here.assign(there)).toThrow('assign: the values live on another device');
    expect(() => here.mul(2).backward(there)).toThrow('backward: gradient lives on another device');
    expect(Array.from(await here.data())).toEqual([1, 1]);
    other.destroy();
  });

  it('refuses tensors of two devices', async () => {
    using other = await createDevice();
    const there = other.ones([2]);
    expect(() => device.ones([2]).add(there)).toThrow(DeviceError);
    expect(() => device.ones([2]).add(there)).toThrow(/add: \w+ lives on another device/);
  });

  it('refuses gradients of whole numbers', () => {
    const make = () => device.tensor(new Int32Array([1]), [1], { requiresGrad: true });
    expect(make).toThrow(GradError);
    expect(make).toThrow('requiresGrad: expected a tensor of f32, got i32');
  });

  it('lets gradients through many uses of one tensor, and stops them at detach', async () => {
    const x = device.tensor([1, 2, 3], [3], { requiresGrad: true });
    const y = x.mul(x).add(x).add(x.detach());
    y.sum().backward();
    expect(Array.from(await x.grad!.data())).toEqual([3, 5, 7]);
    x.mul(2).sum().backward();
    expect(Array.from(await x.grad!.data())).toEqual([5, 7, 9]);
    x.zeroGrad();
    expect(x.grad).toBeNull();
  });

  it('records nothing inside noGrad', async () => {
    const x = device.ones([2], { requiresGrad: true });
    expect(noGrad(() => x.mul(2)).requiresGrad).toBe(false);
    const later = await noGrad(async () => {
      await Promise.resolve();
      return x.mul(2);
    });
    expect(later.requiresGrad).toBe(false);
    expect(x.mul(2).requiresGrad).toBe(true);
  });

  it('refuses a second async noGrad, and says why backward finds nothing meanwhile', async () => {
    const x = device.ones([2], { requiresGrad: true });
    let finish = (): void => {};
    const gate = new Promise<void>((resolve) => (finish = resolve));
    const first = noGrad(() => gate);
    expect(() => noGrad(async () => x.mul(2))).toThrow(
      'noGrad: expected no other async function inside noGrad, but one has not finished',
    );
    expect(() => x.mul(2).sum().backward()).toThrow(
      'fix: call it outside noGrad, and after an async function inside noGrad has finished',
    );
    finish();
    await first;
    const loss = x.mul(2).sum();
    loss.backward();
    expect([...(await x.grad!.data())]).toEqual([2, 2]);
  });

  it('explains what backward cannot do', () => {
    const x = device.ones([2], { requiresGrad: true });
    expect(() => device.ones([1]).backward()).toThrow('backward: nothing to do');
    expect(() => x.mul(2).backward()).toThrow('backward: expected one element, got a tensor [2]');
    expect(() => x.mul(2).backward(device.ones([3]))).toThrow(
      'backward: gradient has shape [3] but the tensor has [2]',
    );
    const y = x.mul(x);
    const loss = y.sum();
    loss.backward();
    expect(() => loss.backward()).toThrow('was run backward before');
    expect(() => y.relu()).toThrow('tensor [2] was released by backward()');
  });
});
