import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { noGrad, watchOps } from '../../src/autograd/recording.js';
import { createDevice } from '../../src/device.js';
import {
  BatchNorm2d,
  Conv2d,
  convBatchNorm,
  DepthwiseConv2d,
  Sequential,
  watchModules,
  type ConvLayer,
} from '../../src/nn/index.js';
import { mul } from '../../src/ops/elementwise.js';
import { foldsBatchNorm } from '../../src/nn/conv_batch_norm.js';
import { sum } from '../../src/ops/reduce.js';
import { withOperands } from '../../src/ops/mixed_precision.js';
import { conv2dReference } from '../../src/reference/conv2d.js';
import { depthwiseConv2dReference } from '../../src/reference/depthwise_conv2d.js';
import type { RefArray } from '../../src/reference/types.js';
import type { Tensor } from '../../src/tensor.js';
import { expectCoverage } from '../helpers/coverage.js';
import { testDevice } from '../helpers/device.js';
import { seededRandom } from '../helpers/fill.js';

expectCoverage('conv_batch_norm', null, testDevice);

const device = await testDevice();
const apart = await createDevice({ seed: 7, fusion: false });
afterAll(() => apart.destroy());
afterEach(() => vi.restoreAllMocks());

/** Shaders that run inside `fn`. */
function shadersOf(fn: () => unknown, on = device): string[] {
  const dispatch = vi.spyOn(on.runtime, 'dispatch');
  fn();
  const names = dispatch.mock.calls.map(([{ shader }]) => shader);
  dispatch.mockRestore();
  return names;
}

const isBatchNorm = (name: string): boolean =>
  name.startsWith('batch_norm') && name !== 'batch_norm_fold';

const host = async (tensor: Tensor): Promise<RefArray> => ({
  shape: tensor.shape,
  data: Float64Array.from(await tensor.data()),
});

/** Any numbers for what a batch norm has, and its layer in evaluation mode. */
function settled(norm: BatchNorm2d, seed = 5): BatchNorm2d {
  const random = seededRandom(seed);
  const draw = (low: number, high: number): number[] =>
    Array.from({ length: norm.options.channels }, () => low + (high - low) * random());
  norm.gamma!.assign(draw(-1.5, 1.5));
  norm.beta!.assign(draw(-1, 1));
  norm.runningMean.assign(draw(-2, 2));
  norm.runningVariance.assign(draw(0.01, 4));
  return norm.eval();
}

const image = (shape: number[], seed = 1, on = device): Tensor => {
  const random = seededRandom(seed);
  const size = shape.reduce((product, n) => product * n, 1);
  return on.tensor(
    Float32Array.from({ length: size }, () => 2 * random() - 1),
    shape,
  );
};

const layers: [string, () => ConvLayer, number[], number | undefined][] = [
  ...[true, false].map((bias): [string, () => ConvLayer, number[], number | undefined] => [
    `3×3 ${bias ? 'with' : 'without'} bias`,
    () => new Conv2d(device, { inChannels: 8, outChannels: 12, kernelSize: 3, padding: 1, bias }),
    [2, 7, 9, 8],
    undefined,
  ]),
  [
    '1×1, epsilon 1e-3',
    () => new Conv2d(device, { inChannels: 16, outChannels: 20, kernelSize: 1, bias: false }),
    [2, 5, 5, 16],
    1e-3,
  ],
  [
    'groups, stride 2, channels that are no multiple of four',
    () =>
      new Conv2d(device, {
        ...{ inChannels: 6, outChannels: 9, kernelSize: 3, stride: 2, groups: 3 },
      }),
    [1, 9, 8, 6],
    undefined,
  ],
  [
    'depthwise, two outputs a channel',
    () => new DepthwiseConv2d(device, { inChannels: 6, kernelSize: 3, padding: 1, multiplier: 2 }),
    [2, 6, 5, 6],
    1e-3,
  ],
];

describe('convBatchNorm in evaluation without gradients', () => {
  for (const [note, make, shape, epsilon] of layers) {
    for (const withResidual of [false, true]) {
      it(`is one convolution: ${note}${withResidual ? ', with residual' : ''}`, async () => {
        const conv = make();
        if (conv.bias) conv.bias.assign(image([conv.outChannels], 3));
        const norm = settled(
          new BatchNorm2d(device, {
            channels: conv.outChannels,
            ...(epsilon === undefined ? {} : { epsilon }),
            ...(withResidual ? { activation: 'relu' } : {}),
          }),
        );
        const x = image(shape);
        const inputs = { x: await host(x), w: await host(conv.weight) };
        const reference = conv instanceof Conv2d ? conv2dReference : depthwiseConv2dReference;
        const z = reference.forward(
          { ...inputs, ...(conv.bias ? { bias: await host(conv.bias) } : {}) },
          { ...conv.options, activation: undefined },
        ).y;
        const residual = withResidual ? image([...z.shape], 9) : undefined;
        let y!: Tensor;
        const shaders = shadersOf(() => {
          y = noGrad(() => convBatchNorm(conv, norm, x, residual && (() => residual)));
        });
        expect(shaders[0]).toBe('batch_norm_fold');
        expect(shaders.filter(isBatchNorm)).toEqual([]);
        const [gamma, beta, mean, variance, added] = await Promise.all(
          [norm.gamma!, norm.beta!, norm.runningMean, norm.runningVariance, residual ?? x].map(
            host,
          ),
        );
        const got = await y.data();
        const channels = conv.outChannels;
        for (let i = 0; i < got.length; i++) {
          const k = i % channels;
          const scale = gamma.data[k] / Math.sqrt(variance.data[k] + (epsilon ?? 1e-5));
          const extra = residual ? added.data[i] : 0;
          const sum = (z.data[i] - mean.data[k]) * scale + beta.data[k] + extra;
          const wanted = withResidual ? Math.max(sum, 0) : sum;
          // A convolution's bound; a weight is rounded up to 8 times more when it is folded: the
          // root by 2 ulp, its argument, and two products.
          const size =
            Math.abs(scale) * (z.magnitude[i] + Math.abs(mean.data[k])) +
            Math.abs(beta.data[k]) +
            Math.abs(extra);
          const allowed = (16 + Math.sqrt(z.terms)) * 2 ** -24 * size;
          expect(Math.abs(got[i] - wanted), `${i}: ${got[i]}, wanted ${wanted}`).toBeLessThan(
            allowed,
          );
        }
      });
    }
  }

  it('frees the folded filter', async () => {
    const conv = new Conv2d(device, { inChannels: 4, outChannels: 4, kernelSize: 3 });
    const norm = settled(new BatchNorm2d(device, { channels: 4 }));
    const x = image([2, 5, 5, 4]);
    noGrad(() => convBatchNorm(conv, norm, x)).dispose();
    const before = device.memory.liveBytes;
    noGrad(() => convBatchNorm(conv, norm, x)).dispose();
    await device.sync();
    // Less, where the collector has found tensors of other tests meanwhile.
    expect(device.memory.liveBytes).toBeLessThanOrEqual(before);
  });

  it('follows weights and statistics in a captured pass', async () => {
    const conv = new Conv2d(device, { inChannels: 4, outChannels: 8, kernelSize: 3 });
    const norm = settled(new BatchNorm2d(device, { channels: 8 }));
    const x = image([2, 5, 5, 4]);
    const run = (): Tensor => noGrad(() => convBatchNorm(conv, norm, x));
    const captured = device.capture(() => ({ y: run() }));
    let before = [...(await captured().y.data())];
    const changes: (() => unknown)[] = [
      () => conv.weight.assign(image([3, 3, 4, 8], 11)),
      () => conv.bias!.assign(image([8], 12)),
      () => settled(norm, 13),
    ];
    for (const change of changes) {
      change();
      const after = [...(await captured().y.data())];
      expect(after).not.toEqual(before);
      expect(after).toEqual([...(await run().data())]);
      before = after;
    }
    captured.dispose();
  });

  it('leaves the two apart where the filter is larger than what it computes', () => {
    const conv = new Conv2d(device, { inChannels: 4, outChannels: 8, kernelSize: 3, stride: 2 });
    const norm = settled(new BatchNorm2d(device, { channels: 8 }));
    // 36 weights a channel; 4·3·3 outputs are not more, 5·3·3 are.
    expect(foldsBatchNorm(conv, norm, image([4, 6, 6, 4]))).toBe(false);
    expect(noGrad(() => foldsBatchNorm(conv, norm, image([4, 6, 6, 4])))).toBe(false);
    expect(noGrad(() => foldsBatchNorm(conv, norm, image([5, 6, 6, 4])))).toBe(true);
  });

  it('is what a Sequential runs where a batch norm follows a convolution', () => {
    const options = { inChannels: 4, outChannels: 4, kernelSize: 1 };
    const folds = (first: Conv2d): boolean[] => {
      const norm = new BatchNorm2d(device, { channels: 4 });
      const model = new Sequential(new Conv2d(device, options), first, norm).eval();
      const shaders = shadersOf(() => noGrad(() => model.call(image([1, 3, 3, 4]))));
      return shaders.map((name) => name === 'batch_norm_fold');
    };
    expect(folds(new Conv2d(device, options))).toEqual([false, true, false]);
    // A derived class may compute something else.
    class Doubled extends Conv2d {
      override forward(x: Tensor): Tensor {
        return mul(super.forward(x), 2);
      }
    }
    expect(folds(new Doubled(device, options))).not.toContain(true);
  });
});

describe('convBatchNorm runs both layers', () => {
  const conv = new Conv2d(device, { inChannels: 4, outChannels: 4, kernelSize: 1 });
  const norm = settled(new BatchNorm2d(device, { channels: 4 }));
  const x = image([2, 3, 3, 4]);
  const run = (): Tensor => convBatchNorm(conv, norm, x);
  const isFolded = (fn: () => unknown, on = device): boolean =>
    shadersOf(fn, on).includes('batch_norm_fold');

  it('where gradients may be wanted, as for saliency', async () => {
    expect(isFolded(() => noGrad(run))).toBe(true);
    const pixels = device.tensor([1, 2, 3, 4], [1, 1, 1, 4], { requiresGrad: true });
    let y!: Tensor;
    expect(isFolded(() => (y = convBatchNorm(conv, norm, pixels)))).toBe(false);
    y.backward(device.tensor([1, 0, 0, 0], [1, 1, 1, 4]));
    const [gamma, variance, weight] = await Promise.all(
      [norm.gamma!, norm.runningVariance, conv.weight].map((tensor) => tensor.data()),
    );
    const scale = gamma[0] / Math.sqrt(variance[0] + 1e-5);
    [...(await pixels.grad!.data())].forEach((value, c) =>
      expect(Math.abs(value - weight[4 * c] * scale)).toBeLessThan(1e-6 * Math.abs(scale)),
    );
  });

  it('while training', () => {
    norm.train();
    expect(isFolded(() => noGrad(run))).toBe(false);
    settled(norm);
  });

  it('where somebody watches layers or ops', () => {
    expect(
      isFolded(() =>
        watchModules(
          () => undefined,
          () => noGrad(run),
        ),
      ),
    ).toBe(false);
    expect(
      isFolded(() =>
        watchOps(
          () => undefined,
          () => noGrad(run),
        ),
      ),
    ).toBe(false);
  });

  it('behind an activation of the convolution', () => {
    const active = new Conv2d(device, {
      ...{ inChannels: 4, outChannels: 4, kernelSize: 1, activation: 'relu' },
    });
    expect(isFolded(() => noGrad(() => convBatchNorm(active, norm, x)))).toBe(false);
  });

  it('with operands of f16', () => {
    if (!device.runtime.device.features.has('shader-f16')) {
      console.log(`skipped: ${device.info.description} has no shader-f16`);
      return;
    }
    expect(isFolded(() => withOperands('f16', () => noGrad(run)))).toBe(false);
  });

  it('with TILEGRAD_FUSION=off', () => {
    const [first, second] = [
      new Conv2d(apart, { inChannels: 4, outChannels: 4, kernelSize: 1 }),
      settled(new BatchNorm2d(apart, { channels: 4 })),
    ];
    const pixels = image([2, 3, 3, 4], 1, apart);
    expect(isFolded(() => noGrad(() => convBatchNorm(first, second, pixels)), apart)).toBe(false);
  });

  it('of another number of channels, as far as the error', () => {
    const wide = settled(new BatchNorm2d(device, { channels: 5 }));
    expect(() => noGrad(() => convBatchNorm(conv, wide, x))).toThrow(
      'batchNorm: gamma must have one value for each of C=4 channels',
    );
  });
});

/** Within rounding: other kernels may have done the same sums, and each adapter fuses in its own way. */
async function expectClose(one: Tensor, other: Tensor): Promise<void> {
  const [a, b] = [await one.data(), await other.data()];
  const largest = Math.max(...b.map(Math.abs));
  expect(largest).toBeGreaterThan(1e-3);
  a.forEach((value, i) => expect(Math.abs(value - b[i])).toBeLessThanOrEqual(1e-5 * largest));
}

describe('the bias in front of a batch norm that trains', () => {
  const gradients = (run: (conv: Conv2d, norm: BatchNorm2d, x: Tensor) => Tensor) => {
    const conv = new Conv2d(device, { inChannels: 4, outChannels: 8, kernelSize: 3 });
    conv.weight.assign(image([3, 3, 4, 8], 2));
    conv.bias!.assign(image([8], 3));
    const norm = new BatchNorm2d(device, { channels: 8, activation: 'relu' });
    const x = image([2, 6, 6, 4]);
    x.requiresGrad = true;
    const loss = sum(mul(run(conv, norm, x), image([2, 4, 4, 8], 4)));
    const shaders = shadersOf(() => loss.backward());
    return { conv, norm, x, shaders };
  };

  it('gets no gradient and costs no sum; all other gradients are those of two layers', async () => {
    const together = gradients(convBatchNorm);
    const two = gradients((conv, norm, x) => norm.call(conv.call(x)));
    expect(together.conv.bias!.grad).toBeNull();
    expect(together.shaders.filter((name) => name.startsWith('reduce_forward'))).toEqual([]);
    // What the sum over dy would have given: nothing but rounding.
    const rounding = await two.conv.bias!.grad!.data();
    expect(Math.max(...rounding.map(Math.abs))).toBeLessThan(1e-4);
    for (const [one, other] of [
      [together.conv.weight, two.conv.weight],
      [together.norm.gamma!, two.norm.gamma!],
      [together.norm.beta!, two.norm.beta!],
      [together.norm.runningMean, two.norm.runningMean],
    ] as const) {
      await expectClose(one.grad ?? one, other.grad ?? other);
    }
    await expectClose(together.x.grad!, two.x.grad!);
  });

  it('has a gradient where running statistics normalise, and behind an activation', async () => {
    const settledOnes = gradients((conv, norm, x) => convBatchNorm(conv, settled(norm), x));
    expect(Math.max(...(await settledOnes.conv.bias!.grad!.data()).map(Math.abs))).toBeGreaterThan(
      1e-2,
    );
    const options = { inChannels: 4, outChannels: 8, kernelSize: 3, activation: 'relu' } as const;
    const conv = new Conv2d(device, {
      ...options,
      biasInit: (on, shape) => on.ones(shape),
    });
    const norm = new BatchNorm2d(device, { channels: 8 });
    sum(mul(convBatchNorm(conv, norm, image([2, 6, 6, 4])), image([2, 4, 4, 8], 4))).backward();
    expect(Math.max(...(await conv.bias!.grad!.data()).map(Math.abs))).toBeGreaterThan(1e-2);
  });
});
