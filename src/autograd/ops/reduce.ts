import { sizeOf, type GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { fillArray } from '../../kernels/fill.js';
import { reduceArray, reduceVariants, reshaped, type ReduceVariant } from '../../kernels/reduce.js';
import { reduceBackward } from '../../kernels/reduce_backward.js';
import type { BackwardCall, ForwardCall, OpRecord } from '../record.js';
import {
  reducePlan,
  type ReduceName,
  type ReducePlan,
  type VarianceOptions,
} from '../reduce_plan.js';

export type { ReduceName, ReduceOptions, VarianceOptions } from '../reduce_plan.js';

type ReduceRecord = OpRecord<VarianceOptions, ReducePlan>;

interface Entry {
  saves: Record<string, readonly string[]>;
  derivative: string;
}

const KEEP_EXTREME = { x: ['x'], y: ['x'] };
const EXTREME = 'dx = dy / ties where x is the extreme, else 0; ties elements share it';

const entries: Readonly<Record<ReduceName, Entry>> = {
  sum: { saves: {}, derivative: 'dx = dy' },
  mean: { saves: {}, derivative: 'dx = dy / L, L terms' },
  max: { saves: KEEP_EXTREME, derivative: EXTREME },
  min: { saves: KEEP_EXTREME, derivative: EXTREME },
  prod: { saves: { x: ['x'] }, derivative: 'dx = dy · product of the other elements' },
  variance: {
    saves: { x: ['x'], mean: ['x'] },
    derivative: 'dx = dy · 2 · (x − mean) / (L − correction)',
  },
};

/** One record per reduction over some axes of x. */
export const reduceRecords = Object.fromEntries(
  Object.entries(entries).map(([name, entry]) => [name, makeRecord(name as ReduceName, entry)]),
) as Record<ReduceName, ReduceRecord>;

/** The record of the reduction that `options.op` names. */
export function recordOf(options: { op?: unknown }): ReduceRecord {
  return reduceRecords[options.op as ReduceName];
}

function makeRecord(name: ReduceName, { saves, derivative }: Entry): ReduceRecord {
  return {
    name,
    inputs: { x: '…' },
    variants: () => reduceVariants,
    shape: (inputs, options) => reducePlan(name, inputs, options),
    forward: (call) => (name === 'variance' ? forwardVariance(call) : forwardPlain(name, call)),
    saves,
    derivatives: { x: derivative },
    backward: (call) => (call.needs.x ? { x: gradientOf(name, call) } : {}),
    flops: (inputs) => sizeOf(inputs.x!.shape) * (name === 'variance' ? 4 : 1),
    bytes: (inputs, plan) => 4 * (sizeOf(inputs.x!.shape) + sizeOf(plan.shape)),
    source: name === 'variance' ? 'Welford 1962, the two-pass form of section 1' : 'textbook',
  };
}

type ReduceForward = ForwardCall<VarianceOptions, ReducePlan>;

function forwardPlain(
  name: Exclude<ReduceName, 'variance'>,
  { runtime, inputs, options, plan }: ReduceForward,
): { y: GpuArray } {
  const y = reduceArray(runtime, inputs.x!, plan.geometry, name === 'mean' ? 'sum' : name, {
    scale: 1 / plan.divisor,
    variant: options.variant,
  });
  return { y: reshaped(y, plan.shape) };
}

/** Two passes: the mean, then the squares of the distances from it, which cannot cancel. */
function forwardVariance({ runtime, inputs, options, plan, keepsExtras }: ReduceForward): {
  y: GpuArray;
  extras?: Record<string, GpuArray>;
} {
  const { geometry, divisor } = plan;
  const { variant } = options;
  const x = inputs.x!;
  const mean = reduceArray(runtime, x, geometry, 'sum', { scale: 1 / geometry.terms, variant });
  const sum = reduceArray(runtime, x, geometry, 'deviation', {
    center: mean,
    scale: 1 / divisor,
    variant,
  });
  const y = reshaped(sum, plan.shape);
  if (keepsExtras) return { y, extras: { mean } };
  mean.release();
  return { y };
}

function gradientOf(
  name: ReduceName,
  { runtime, dy, saved, inputs, options, plan }: BackwardCall<VarianceOptions, ReducePlan>,
): GpuArray {
  const { geometry, keptShape, divisor } = plan;
  const { shape } = inputs.x!;
  // 'sliced' stands for the fast kernels of both directions.
  const variant = options.variant === 'naive' ? ('naive' as const) : undefined;
  const call = { shape, keptShape, geometry, dy, variant };
  if (name === 'sum' || name === 'mean') {
    return reduceBackward(runtime, { ...call, kind: 'linear', factor: 1 / divisor });
  }
  const x = saved.x;
  if (name === 'variance') {
    const factor = 2 / divisor;
    return reduceBackward(runtime, { ...call, kind: 'variance', factor, x, center: saved.mean });
  }
  if (name === 'prod') return gradientOfProduct(runtime, { ...call, x }, options.variant);
  return gradientOfExtreme(runtime, { ...call, x, center: saved.y }, options.variant);
}

/** Elements that tie share dy evenly, so they are counted first. */
function gradientOfExtreme(
  runtime: Runtime,
  call: Omit<Parameters<typeof reduceBackward>[1], 'kind'> & { x: GpuArray; center: GpuArray },
  variant: ReduceVariant | undefined,
): GpuArray {
  const { x, center, geometry } = call;
  const ties = reduceArray(runtime, x, geometry, 'ties', { center, variant });
  const dx = reduceBackward(runtime, { ...call, kind: 'extreme', ties });
  ties.release();
  return dx;
}

/**
 * The product of the others is the product divided by the element, as long as none is 0. Zeros are
 * counted apart: a lone one has the product of the rest, and all other gradients are 0.
 */
function gradientOfProduct(
  runtime: Runtime,
  call: Omit<Parameters<typeof reduceBackward>[1], 'kind'> & { x: GpuArray },
  variant: ReduceVariant | undefined,
): GpuArray {
  const { x, geometry } = call;
  const zero = fillArray(runtime, [geometry.outputs], 'f32', 0);
  const ties = reduceArray(runtime, x, geometry, 'ties', { center: zero, variant });
  zero.release();
  const center = reduceArray(runtime, x, geometry, 'nonzeroProd', { variant });
  const dx = reduceBackward(runtime, { ...call, kind: 'product', center, ties });
  for (const array of [ties, center]) array.release();
  return dx;
}
