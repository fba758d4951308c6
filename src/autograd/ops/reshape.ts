import { ShapeError } from '../../errors.js';
import { sizeOf } from '../../gpu/array.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';

export interface ReshapeOptions {
  /** The new shape; one length may be −1 and is then computed. */
  shape: readonly number[];
}

/** The same elements in the same order under another shape. No kernel runs: memory is shared. */
export const reshape: OpRecord<ReshapeOptions> = {
  name: 'reshape',
  inputs: { x: '…' },
  shape: reshapePlan,
  forward: ({ inputs, plan }) => ({ y: inputs.x!.view(plan.shape) }),
  saves: {},
  derivatives: { x: 'dx = dy under the shape of x' },
  backward: ({ dy, inputs }) => ({ x: dy.view(inputs.x!.shape) }),
  flops: () => 0,
  bytes: () => 0,
  source: 'NumPy reshape, row-major order',
};

function reshapePlan(inputs: InputMetas, { shape }: ReshapeOptions): Plan {
  const x = inputs.x;
  if (!x) throw new ShapeError('reshape: x is missing');
  const size = sizeOf(x.shape);
  const what = `x [${x.shape.join(' ')}] to [${shape.join(' ')}]`;
  const unknown = shape.filter((n) => n === -1).length;
  if (unknown > 1 || shape.some((n) => !Number.isInteger(n) || (n < 1 && n !== -1))) {
    throw new ShapeError(
      `reshape: expected positive whole numbers and at most one -1, got ${what}`,
    );
  }
  const known = sizeOf(shape.filter((n) => n !== -1));
  if (unknown === 1 ? size % known !== 0 : size !== known) {
    throw new ShapeError(
      `reshape: ${what}: x has ${size} elements, the new shape ${unknown === 1 ? `a multiple of ${known}` : known}`,
    );
  }
  return { shape: shape.map((n) => (n === -1 ? size / known : n)), dtype: x.dtype };
}
