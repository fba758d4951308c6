import { ShapeError } from '../errors.js';
import { sizeOf } from '../gpu/array.js';
import type { Conv2dGeometry } from '../kernels/conv2d/geometry.js';
import type { InputMetas, Meta, Plan } from './record.js';
import { expectInput, label } from './shapes.js';

/* Checks of the bias and residual of a convolution. */

/** Checks that the bias, if given, has one value per output channel. */
export function expectBias(op: string, bias: Meta | undefined, k: number): void {
  if (!bias) return;
  expectInput(op, 'bias', bias, 'K');
  if (bias.shape[0] !== k) {
    throw new ShapeError(
      `${op}: bias has ${bias.shape[0]} values but the output has K=${k} channels`,
    );
  }
}

/** Checks that the residual, if given, has the output's shape. */
export function expectResidual(
  op: string,
  residual: Meta | undefined,
  { n, p, q, k }: Conv2dGeometry,
  shapes: string,
): void {
  if (!residual) return;
  expectInput(op, 'residual', residual, 'N P Q K');
  if (residual.shape.join() === [n, p, q, k].join()) return;
  throw new ShapeError(
    `${op}: residual must have the shape of the output [N=${n} P=${p} Q=${q} K=${k}], got residual ${label(residual, 'N P Q K')} ${shapes}`,
    'bring it to that shape, by a 1×1 convolution for one',
  );
}

/** Bytes read from the residual, if there is one. */
export function residualBytes({ residual }: InputMetas, { shape }: Plan): number {
  return residual ? 4 * sizeOf(shape) : 0;
}
