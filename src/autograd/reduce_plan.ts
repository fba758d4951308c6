import { ShapeError } from '../errors.js';
import { reduceGeometry, type ReduceGeometry } from '../kernels/lib/reduce_geometry.js';
import type { ReduceVariant } from '../kernels/reduce.js';
import { expectAxes, expectElements, labelAny, reducedShape } from './operands.js';
import type { InputMetas, Plan } from './record.js';

export type ReduceName = 'sum' | 'mean' | 'max' | 'min' | 'prod' | 'variance';

export interface ReduceOptions {
  /** The axes to reduce, negative ones counted from the end; all if absent. */
  axis?: number | readonly number[];
  /** Leaves the reduced axes in the shape, as ones. Default false. */
  keepDims?: boolean;
  /** @internal For benches and tests: the kernels to use instead of the chosen ones. */
  variant?: ReduceVariant;
}

export interface VarianceOptions extends ReduceOptions {
  /** Subtracted from the count in the divisor: 1 gives the unbiased variance. Default 0. */
  correction?: number;
}

export interface ReducePlan extends Plan {
  geometry: ReduceGeometry;
  /** The output's shape with the reduced axes as ones. */
  keptShape: readonly number[];
  /** Divisor of the sum: 1, the number of terms, or that minus the correction. */
  divisor: number;
}

/** Checks the axes and the correction of a reduction, and describes it to the kernels. */
export function reducePlan(
  name: ReduceName,
  inputs: InputMetas,
  options: VarianceOptions,
): ReducePlan {
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
