import { ShapeError } from '../gpu/errors.js';
import { reductions, type Reduction } from '../kernels/loss_reduction.js';

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
