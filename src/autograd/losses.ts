import { ShapeError } from '../gpu/errors.js';
import { reductions, type Reduction } from '../kernels/loss_reduction.js';
import type { Meta } from './record.js';
import { expectDtype, label } from './shapes.js';

/** The reduction, 'mean' where none is given. */
export function expectReduction(op: string, reduction: Reduction = 'mean'): Reduction {
  if (reductions.includes(reduction)) return reduction;
  throw new ShapeError(
    `${op}: reduction must be ${reductions.map((name) => `'${name}'`).join(', ')}, got '${String(reduction)}'`,
  );
}

/** Shape of a loss: that of the single losses, or none. */
export function reducedShape(reduction: Reduction, shape: readonly number[]): readonly number[] {
  return reduction === 'none' ? shape : [];
}

/** Prediction and target of a loss that compares them element by element. */
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
