import { sizeOf, type GpuArray } from '../../gpu/array.js';
import { ShapeError } from '../../gpu/errors.js';
import type { Runtime } from '../../gpu/runtime.js';
import { reduceArray, reduceVariants, reshaped, type ReduceVariant } from '../../kernels/reduce.js';
import { isOneRun, reduceBackward } from '../../kernels/reduce_backward.js';
import { reduceGeometry, type ReduceGeometry } from '../../kernels/reduce_geometry.js';
import { expectAxes, expectElements, labelAny, reducedShape } from '../operands.js';
import type { BackwardCall, ForwardCall, InputMetas, OpRecord, Plan } from '../record.js';

export interface ReduceOptions {
  /** The axes to reduce, negative ones counted from the end; all where absent. */
  axis?: number | readonly number[];
  /** Leaves the reduced axes in the shape, as ones. Default false. */
  keepDims?: boolean;
  /** For benches and tests: the kernels to use instead of the chosen ones. */
  variant?: ReduceVariant;
}

export interface VarianceOptions extends ReduceOptions {
  /** Taken off the count that is divided by: 1 gives the unbiased variance. Default 0. */
  correction?: number;
}

export interface ReducePlan extends Plan {
  geometry: ReduceGeometry;
  /** The output's shape with the reduced axes as ones. */
  keptShape: readonly number[];
  /** What sums are divided by: 1, the number of terms, or that less the correction. */
  divisor: number;
}

type ReduceRecord = OpRecord<VarianceOptions, ReducePlan>;
export type ReduceName = 'sum' | 'mean' | 'max' | 'min' | 'variance';

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
  const isSlow = options.variant === 'naive' || !isOneRun(geometry);
  const variant = isSlow ? ('naive' as const) : ('vec4' as const);
  const call = { shape, keptShape, geometry, dy, variant };
  if (name === 'sum' || name === 'mean') {
    return reduceBackward(runtime, { ...call, kind: 'linear', factor: 1 / divisor });
  }
  const x = saved.x;
  if (name === 'variance') {
    const factor = 2 / divisor;
    return reduceBackward(runtime, { ...call, kind: 'variance', factor, x, center: saved.mean });
  }
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

function reducePlan(name: ReduceName, inputs: InputMetas, options: VarianceOptions): ReducePlan {
  const x = expectElements(name, 'x', inputs.x);
  const axes = expectAxes(name, options.axis, x.shape);
  const geometry = reduceGeometry(x.shape, axes);
  if (!geometry) {
    throw new ShapeError(
      `${name}: expected at most three separate runs of reduced and of kept axes, got axis [${axes.join(', ')}] (${labelAny('x', x)})`,
      'reduce in two steps, or transpose first',
    );
  }
  const { correction = 0 } = options;
  if (name === 'variance' && !(correction >= 0 && correction < geometry.terms)) {
    throw new ShapeError(
      `variance: correction must lie in [0, ${geometry.terms}), the number of terms, got ${correction} (${labelAny('x', x)}, axis [${axes.join(', ')}])`,
    );
  }
  const divisors = { mean: geometry.terms, variance: geometry.terms - correction };
  return {
    shape: reducedShape(x.shape, axes, options.keepDims ?? false),
    keptShape: reducedShape(x.shape, axes, true),
    dtype: 'f32',
    geometry,
    divisor: divisors[name as keyof typeof divisors] ?? 1,
  };
}
