import { beforeAll, describe, expect, it } from 'vitest';
import { conv2d as conv2dRecord } from '../../src/autograd/ops/conv2d.js';
import { createDevice, type Device } from '../../src/device.js';
import { conv2dGradInput } from '../../src/kernels/conv2d/conv2d.js';
import { conv2d } from '../../src/ops/conv.js';
import { add } from '../../src/ops/elementwise.js';
import { sum } from '../../src/ops/reduce.js';
import type { Tensor } from '../../src/tensor.js';
import { supported } from '../helpers/conv2d_variants.js';
import { testDevice } from '../helpers/device.js';

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
/** Whole numbers −3 … 3, whose sums are exact in any order. */
const integers = (shape: readonly number[], step: number): Float32Array =>
  Float32Array.from({ length: size(shape) }, (_, i) => ((i * step) % 7) - 3);

/* A value that a convolution and other ops take gets a sum of gradients. */
describe('the gradient of a convolution’s input with an addend', () => {
  const cases: [string, number[], number[], object][] = [
    ['1×1', [2, 5, 3, 8], [1, 1, 8, 16], {}],
    ['3×3', [2, 5, 6, 8], [3, 3, 8, 8], { padding: 1 }],
    ['stride 2, which few pixels meet', [1, 6, 7, 8], [1, 1, 8, 8], { stride: 2 }],
    ['stride 2, 3×3', [2, 7, 6, 8], [3, 3, 8, 12], { stride: 2, padding: 1 }],
    ['few channels', [2, 6, 5, 3], [3, 3, 3, 8], {}],
    ['groups', [1, 5, 5, 8], [3, 3, 4, 8], { groups: 2 }],
  ];
  it.each(cases)('is the sum of both by every kernel, %s', async (_, xShape, wShape, options) => {
    const { runtime, info } = device;
    const meta = (shape: number[]) => ({ shape, dtype: 'f32' as const });
    const inputs = { x: meta(xShape), w: meta(wShape) };
    const { geometry } = conv2dRecord.shape(inputs, options);
    const yShape = [geometry.n, geometry.p, geometry.q, geometry.k];
    const tensors = [yShape, wShape, xShape].map((shape, i) =>
      device.tensor(integers(shape, 2 + i), shape),
    );
    const [dy, w, addend] = tensors.map(({ gpuArray }) => gpuArray);
    const read = async (array: typeof dy) => {
      const values = new Float32Array(await runtime.read(array));
      array.release();
      return values;
    };
    const bare = await read(conv2dGradInput(runtime, dy, w, geometry, { variant: 'naive' }));
    const wanted = bare.map((value, i) => value + integers(xShape, 4)[i]);
    for (const variant of [undefined, ...supported('gradInput', geometry, info)]) {
      const got = await read(conv2dGradInput(runtime, dy, w, geometry, { variant, addend }));
      if (variant?.startsWith('winograd')) {
        got.forEach((value, i) => expect(value, `${variant} ${i}`).toBeCloseTo(wanted[i], 3));
      } else expect(got, variant).toEqual(wanted);
    }
    expect(await read(addend.retain())).toEqual(integers(xShape, 4));
    for (const tensor of tensors) tensor.dispose();
  });

  /** The gradient of x, and which kernels ran backward. */
  async function gradientOf(own: Device, build: (h: Tensor, w: Tensor) => Tensor) {
    const x = own.tensor(integers([2, 4, 4, 8], 3), [2, 4, 4, 8], { requiresGrad: true });
    const w = own.tensor(integers([1, 1, 8, 8], 2), [1, 1, 8, 8]);
    const loss = sum(build(add(x, x), w));
    const before = own.memory.liveBuffers;
    const { captured } = own.runtime.captureCommands(() => loss.backward());
    const ops = captured.commands.map((command) =>
      command.kind === 'dispatch' ? command.request.op : command.kind,
    );
    const values = await x.grad!.data();
    expect(own.memory.liveBuffers).toBeLessThanOrEqual(before + 1);
    own.runtime.disposeCapture(captured);
    return { ops, values };
  }

  const builds: [string, (h: Tensor, w: Tensor) => Tensor, boolean][] = [
    ['beside it', (h, w) => add(conv2d(h, w), h), true],
    ['by another op before it', (h, w) => add(conv2d(add(h, h), w), h), false],
    // Both gradients go to one value, so that neither may contain what came before.
    ['as its residual as well', (h, w) => conv2d(h, w, { residual: h }), false],
  ];
  it.each(builds)('takes what a value used %s has got already', async (_, build, isFused) => {
    using fused = await createDevice({ seed: 1 });
    using apart = await createDevice({ seed: 1, fusion: false });
    const [whole, parts] = [await gradientOf(fused, build), await gradientOf(apart, build)];
    expect(whole.values).toEqual(parts.values);
    const sums = (ops: string[]) => ops.filter((op) => op === 'accumulate').length;
    expect(sums(whole.ops) < sums(parts.ops)).toBe(isFused);
  });
});
