import { records } from '../autograd/ops/index.js';
import type { InputMetas, OpRecord } from '../autograd/record.js';
import type { DType } from '../gpu/array.js';
import { Tensor } from '../tensor.js';
import { conv2d, conv2dTranspose, depthwiseConv2d } from './conv.js';
import {
  abs,
  activate,
  add,
  cast,
  clip,
  div,
  elu,
  equal,
  exp,
  gelu,
  greater,
  greaterEqual,
  hardSwish,
  leakyRelu,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  mul,
  neg,
  notEqual,
  pow,
  relu,
  relu6,
  sigmoid,
  silu,
  softplus,
  sqrt,
  square,
  sub,
  tanh,
  where,
} from './elementwise.js';
import { dense, matmul } from './linear.js';
import {
  binaryCrossEntropy,
  logSoftmax,
  mseLoss,
  nllLoss,
  softmax,
  softmaxCrossEntropy,
} from './loss.js';
import { batchNorm, groupNorm, instanceNorm, layerNorm } from './normalization.js';
import {
  avgPool2d,
  globalAvgPool2d,
  globalMaxPool2d,
  maxPool2d,
  maxPool2dIndices,
} from './pooling.js';
import { augment, dropout } from './random.js';
import { argmax, argmin, max, mean, min, prod, sum, variance } from './reduce.js';
import { resize } from './resize.js';
import {
  concat,
  depthToSpace,
  expandDims,
  flatten,
  gather,
  oneHot,
  pad,
  reshape,
  slice,
  spaceToDepth,
  squeeze,
  transpose,
} from './shape.js';
import { takeAlongAxis } from './take_along_axis.js';
import { topK } from './top_k.js';

/** Ops whose first argument is a tensor: functions in `ops`, and methods of every tensor. */
const tensorOps = {
  abs,
  activate,
  add,
  argmax,
  argmin,
  augment,
  avgPool2d,
  batchNorm,
  binaryCrossEntropy,
  cast,
  clip,
  conv2d,
  conv2dTranspose,
  dense,
  depthToSpace,
  depthwiseConv2d,
  div,
  dropout,
  elu,
  equal,
  exp,
  expandDims,
  flatten,
  gather,
  gelu,
  globalAvgPool2d,
  globalMaxPool2d,
  greater,
  greaterEqual,
  groupNorm,
  hardSwish,
  instanceNorm,
  layerNorm,
  leakyRelu,
  less,
  lessEqual,
  log,
  logSoftmax,
  matmul,
  max,
  maximum,
  maxPool2d,
  maxPool2dIndices,
  mean,
  min,
  minimum,
  mseLoss,
  mul,
  neg,
  nllLoss,
  notEqual,
  oneHot,
  pad,
  pow,
  prod,
  relu,
  relu6,
  reshape,
  resize,
  sigmoid,
  silu,
  slice,
  softmax,
  softmaxCrossEntropy,
  softplus,
  spaceToDepth,
  sqrt,
  square,
  squeeze,
  sub,
  sum,
  takeAlongAxis,
  tanh,
  topK,
  transpose,
  variance,
  where,
};

/** Ops that take something else first. */
const otherOps = { concat };

/** `(x, ...rest) => y` as a method `(...rest) => y` of x. */
type AsMethod<F> = F extends (x: never, ...rest: infer Rest) => infer Y
  ? (...rest: Rest) => Y
  : never;

/** The methods that ops add to Tensor. */
export type TensorMethods = {
  [Name in keyof typeof tensorOps]: AsMethod<(typeof tensorOps)[Name]>;
};

for (const [name, op] of Object.entries(tensorOps)) {
  const run = op as (x: Tensor, ...rest: unknown[]) => unknown;
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: unknown[]) {
      return run(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
}

/** Shapes of an op's inputs by name; a bare shape is f32. */
export type InputShapes = Record<
  string,
  readonly number[] | { shape: readonly number[]; dtype: DType } | undefined
>;

/** An entry of `ops.list()`. */
export interface OpEntry {
  name: string;
  /** Input names with their dimension letters; a name whose letters end in `?` may be absent. */
  inputs: Readonly<Record<string, string>>;
  /** Shape of the result. Throws the ShapeError that running the op would. */
  shape(shapes: InputShapes, options?: object): readonly number[];
  /** Floating-point operations of the forward pass; a multiply-add counts two. */
  flops(shapes: InputShapes, options?: object): number;
  /** Bytes the forward pass must move at least. */
  bytes(shapes: InputShapes, options?: object): number;
  /** Gradients as formulas, by input name. */
  derivatives: Readonly<Record<string, string>>;
  source: string;
}

/**
 * Every differentiable op, with its inputs and its cost for given shapes.
 *
 * @example
 * const pool = ops.list().find((op) => op.name === 'maxPool2d');
 * pool.flops({ x: [1, 4, 4, 1] }, { size: 2 }); // 16
 */
function list(): OpEntry[] {
  return Object.values(records).map(entryOf);
}

function entryOf(record: OpRecord): OpEntry {
  const { name, inputs, derivatives, source } = record;
  return {
    name,
    inputs,
    derivatives,
    source,
    shape: (shapes, options = {}) => record.shape(metasOf(shapes), options).shape,
    flops: (shapes, options = {}) => {
      const metas = metasOf(shapes);
      return record.flops(metas, record.shape(metas, options), options);
    },
    bytes: (shapes, options = {}) => {
      const metas = metasOf(shapes);
      return record.bytes(metas, record.shape(metas, options), options);
    },
  };
}

function metasOf(shapes: InputShapes): InputMetas {
  const metas: InputMetas = {};
  for (const name in shapes) {
    const given = shapes[name];
    if (given) metas[name] = 'shape' in given ? given : { shape: given, dtype: 'f32' };
  }
  return metas;
}

/** Every operation on tensors. */
export const ops = { ...tensorOps, ...otherOps, list };
