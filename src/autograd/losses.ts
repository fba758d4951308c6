import { ShapeError } from '../errors.js';
import { reductions, type Reduction } from '../kernels/lib/loss_reduction.js';
import type { Meta } from './record.js';
import { expectDtype, label } from './shapes.js';

/** The reduction, 'mean' if none is given. */
export function expectReduction(op: string, reduction: Reduction = 'mean'): Reduction {
  if (reductions.includes(reduction)) return reduction;
  throw new ShapeError(
    `${op}: reduction must be ${reductions.map((name) => `'${name}'`).join(', ')}, got '${String(reduction)}'`,
  );
}

/** Shape of a loss: `shape` without a reduction, else scalar. */
export function lossShape(reduction: Reduction, shape: readonly number[]): readonly number[] {
  return reduction === 'none' ? shape : [];
}

/** Checks the weights of K classes, if there are any. */
export function expectClassWeights(op: string, weights: Meta | undefined, k: number): void {
  if (!weights) return;
  expectDtype(op, 'classWeights', weights);
  if (weights.shape.join() === `${k}`) return;
  throw new ShapeError(
    `${op}: classWeights must have one weight for each of K=${k} classes, got ${label(weights, 'K')}`,
  );
}

/** Checks the class number of rows to ignore, if there is one. */
export function expectIgnoreIndex(op: string, ignoreIndex: number | undefined): number | undefined {
  if (ignoreIndex === undefined || (ignoreIndex | 0) === ignoreIndex) return ignoreIndex;
  throw new ShapeError(`${op}: ignoreIndex must be a whole number, got ${String(ignoreIndex)}`);
}

/** Checks the prediction and target of an elementwise loss. */
export function expectAlike(
  op: string,
  prediction: Meta | undefined,
  target: Meta | undefined,
): Meta {
  const shapes = `prediction ${label(prediction, '')}, target ${label(target, '')}`;
  if (!prediction || !target || prediction.shape.join() !== target.shape.join()) {
    throw new ShapeError(`${op}: prediction and target must have one shape (${shapes})`);
  }
  expectDtype(op, 'prediction', prediction);
  expectDtype(op, 'target', target);
  return prediction;
}
