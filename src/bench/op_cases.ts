import { batchNorm } from '../autograd/ops/batch_norm.js';
import { conv2d } from '../autograd/ops/conv2d.js';
import { depthwiseConv2d } from '../autograd/ops/depthwise_conv2d.js';
import { matmul } from '../autograd/ops/matmul.js';
import { maxPool2d } from '../autograd/ops/pool2d.js';
import { recordOf } from '../autograd/ops/reduce.js';
import type { OpRecord } from '../autograd/record.js';
import { softmaxCrossEntropy } from '../autograd/ops/softmax_cross_entropy.js';
import { sumOfSizes } from '../kernels/lib/accuracy.js';
import type { Conv2dDirection, Conv2dGeometry } from '../kernels/conv2d/geometry.js';
import {
  conv2dUnsupportedReason,
  conv2dVariants,
  supportedConv2dVariants,
} from '../kernels/conv2d/variants.js';
import {
  depthwiseUnsupportedReason,
  supportedDepthwiseVariants,
} from '../kernels/depthwise_conv2d/variants.js';
import type { RecordCase } from './case.js';
import { convolutionWords, parseShape, type Shape } from './shapes.js';
import type { BenchOpName, Direction } from './types.js';

export interface OpCase extends RecordCase {
  cost: { flops: number; bytes: number };
}

export interface OpCases {
  directions: readonly Direction[];
  /** The case of a shape as `--shape` gives it. */
  build: (shape: string, direction: Direction, dtype: DTypeName) => OpCase;
}

type NumbersCase = (shape: Shape, direction: Direction, dtype: DTypeName) => OpCase;

const fromNumbers =
  (op: BenchOpName, build: NumbersCase): OpCases['build'] =>
  (shape, direction, dtype) =>
    build(parseShape(op, shape), direction, dtype);

/** Ops that are measured direction by direction. */
export const opCases: Record<Exclude<BenchOpName, 'optimizer' | 'train'>, OpCases> = {
  conv2d: { directions: ['forward', 'grad-input', 'grad-weight'], build: conv2dCase },
  matmul: {
    directions: ['forward', 'grad-input', 'grad-weight'],
    build: fromNumbers('matmul', matmulCase),
  },
  'batch-norm': {
    directions: ['forward', 'grad-input'],
    build: fromNumbers('batch-norm', batchNormCase),
  },
  pool: { directions: ['forward', 'grad-input'], build: fromNumbers('pool', poolCase) },
  reduce: { directions: ['forward', 'grad-input'], build: fromNumbers('reduce', reduceCase) },
  'softmax-cross-entropy': {
    directions: ['forward', 'grad-input'],
    build: fromNumbers('softmax-cross-entropy', crossEntropyCase),
  },
};

type DTypeName = 'f32' | 'f16';

const conv2dDirections: Record<Direction, Conv2dDirection> = {
  forward: 'forward',
  'grad-input': 'gradInput',
  'grad-weight': 'gradWeight',
};

function conv2dCase(shape: string, direction: Direction, dtype: DTypeName): OpCase {
  const numbers = parseShape('conv2d', shape);
  const [n, h, w, c, k, r, stride] = numbers;
  const { padding, isDepthwise } = convolutionWords(shape);
  const options = { stride, padding };
  const metas = {
    x: { shape: [n, h, w, c], dtype: 'f32' as const },
    w: { shape: isDepthwise ? [r, r, c, k / c] : [r, r, c, k], dtype: 'f32' as const },
  };
  const record = (isDepthwise ? depthwiseConv2d : conv2d) as typeof conv2d;
  const { geometry } = record.shape(metas, options);
  const { p, q } = geometry;
  const sums = isDepthwise
    ? { forward: r * r, 'grad-input': (r * r * k) / c, 'grad-weight': n * p * q }
    : { forward: r * r * c, 'grad-input': r * r * k, 'grad-weight': n * p * q };
  const key = conv2dDirections[direction];
  const problem = { direction: key, geometry, types: { x: dtype, w: dtype } };
  const plain: Pick<OpCase, 'variants' | 'unsupportedReason'> = {
    variants: ({ info }) =>
      supportedConv2dVariants({ ...problem, info }).map((name) => {
        const slack = conv2dVariants[name].slack?.(key, sums[direction]);
        return { name, option: { [key]: name }, ...(slack === undefined ? {} : { slack }) };
      }),
    unsupportedReason: (name, { info }) => conv2dUnsupportedReason(name, { ...problem, info }),
  };
  const depthwise: typeof plain = {
    variants: () => supportedDepthwiseVariants(problem).map((name) => ({ name, option: name })),
    unsupportedReason: (name) => depthwiseUnsupportedReason(name, problem),
  };
  return {
    record,
    inputs: {
      x: { shape: metas.x.shape, fill: 'normal', dtype },
      w: { shape: metas.w.shape, fill: 'normal', dtype },
    },
    options,
    needs: needsOf(direction, { 'grad-input': ['x'], 'grad-weight': ['w'] }),
    terms: sums[direction],
    magnitudes: [sumOfSizes(sums[direction])],
    ...(isDepthwise ? depthwise : plain),
    convolution: { geometry, padding },
    cost: conv2dCostOf(geometry, direction, dtype),
  };
}

/** Arrays that are read are of `dtype`, save dy; what is written is f32. */
function conv2dCostOf(
  { n, h, w, c, r, s, k, p, q, groups }: Conv2dGeometry,
  direction: Direction,
  dtype: DTypeName,
): { flops: number; bytes: number } {
  const size = dtype === 'f16' ? 2 : 4;
  const inputs = n * h * w * c;
  const weights = r * s * (c / groups) * k;
  const outputs = n * p * q * k;
  const bytes = {
    forward: size * (inputs + weights) + 4 * outputs,
    'grad-input': size * weights + 4 * (inputs + outputs),
    'grad-weight': size * inputs + 4 * (weights + outputs),
  };
  return { flops: 2 * outputs * r * s * (c / groups), bytes: bytes[direction] };
}

/** grad-input is that of a, grad-weight that of b. */
function matmulCase([m, k, n]: Shape, direction: Direction, dtype: DTypeName): OpCase {
  const terms = { forward: k, 'grad-input': n, 'grad-weight': m }[direction];
  const size = dtype === 'f16' ? 2 : 4;
  const operands = { forward: m * k + k * n, 'grad-input': k * n, 'grad-weight': m * k }[direction];
  const floats = { forward: m * n, 'grad-input': m * n + m * k, 'grad-weight': m * n + k * n };
  return {
    record: matmul,
    inputs: {
      a: { shape: [m, k], fill: 'normal', dtype },
      b: { shape: [k, n], fill: 'normal', dtype },
    },
    options: {},
    needs: needsOf(direction, { 'grad-input': ['a'], 'grad-weight': ['b'] }),
    terms,
    magnitudes: [sumOfSizes(terms)],
    cost: { flops: 2 * m * n * k, bytes: size * operands + 4 * floats[direction] },
  };
}

/** As in training; grad-input also makes the gradients of gamma and beta, which it needs anyway. */
function batchNormCase([n, h, w, c]: Shape, direction: Direction, dtype: DTypeName): OpCase {
  const rows = n * h * w;
  const size = rows * c;
  const isForward = direction === 'forward';
  return {
    record: batchNorm,
    inputs: {
      x: { shape: [n, h, w, c], fill: 'normal', dtype },
      gamma: { shape: [c], fill: 'positive' },
      beta: { shape: [c], fill: 'normal' },
      runningMean: { shape: [c], fill: 'normal' },
      runningVariance: { shape: [c], fill: 'positive' },
    },
    options: { training: true },
    needs: needsOf(direction, { 'grad-input': ['x', 'gamma', 'beta'] }),
    terms: rows,
    magnitudes: isForward ? [null] : [null, sumOfSizes(rows), sumOfSizes(rows)],
    // Forward: mean, variance, normalise and scale. Backward: two sums, then dx from dy and x.
    cost: isForward ? { flops: 8 * size, bytes: 8 * size } : { flops: 11 * size, bytes: 12 * size },
  };
}

/** Max pooling with 'same' padding. */
function poolCase([n, h, w, c, r, stride]: Shape, direction: Direction, dtype: DTypeName): OpCase {
  const record = maxPool2d as unknown as OpRecord;
  const options = { size: r, stride, padding: 'same' };
  const inputs = { x: { shape: [n, h, w, c], fill: 'normal' as const, dtype } };
  const metas = { x: { shape: inputs.x.shape, dtype: 'f32' as const } };
  const plan = record.shape(metas, options);
  return {
    ...{ record, inputs, options },
    needs: needsOf(direction, { 'grad-input': ['x'] }),
    terms: direction === 'forward' ? 1 : r * r,
    magnitudes: [null],
    cost: {
      flops: record.flops(metas, plan, options),
      bytes: record.bytes(metas, plan, options),
    },
  };
}

/** Sums over the middle of three axes. */
function reduceCase([b, m, k]: Shape, direction: Direction, dtype: DTypeName): OpCase {
  const isForward = direction === 'forward';
  return {
    record: recordOf({ op: 'sum' }),
    inputs: { x: { shape: [b, m, k], fill: 'normal', dtype } },
    options: { axis: 1 },
    needs: needsOf(direction, { 'grad-input': ['x'] }),
    terms: isForward ? m : 1,
    magnitudes: [isForward ? sumOfSizes(m) : null],
    cost: { flops: b * m * k, bytes: 4 * b * k * (m + 1) },
  };
}

function crossEntropyCase([n, k]: Shape, direction: Direction, dtype: DTypeName): OpCase {
  const isForward = direction === 'forward';
  return {
    record: softmaxCrossEntropy,
    inputs: {
      logits: { shape: [n, k], fill: 'normal', dtype },
      labels: { shape: [n], fill: 'labels', classes: k },
    },
    options: { reduction: 'mean' },
    needs: needsOf(direction, { 'grad-input': ['logits'] }),
    terms: isForward ? n + k : k,
    magnitudes: [null],
    // Forward: maximum, difference, exponential, sum. Backward: exponential, difference, scale.
    cost: isForward
      ? { flops: 4 * n * k, bytes: 4 * (n * k + n + 1) }
      : { flops: 4 * n * k, bytes: 4 * (2 * n * k + n + 1) },
  };
}

function needsOf(
  direction: Direction,
  gradients: Partial<Record<Direction, readonly string[]>>,
): readonly string[] {
  return direction === 'forward' ? [] : gradients[direction]!;
}
