import { sizeOf, type GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { multiply } from './matmul.js';
import type { Transposes } from './geometry.js';
import type { MatmulVariant } from './variants.js';
import { reshaped, sumToShape } from '../reduce.js';

/*
 * The gradients of y = A·B are matmuls too: dA = dy·Bᵀ and dB = Aᵀ·dy. If an operand is stored
 * transposed, its gradient is computed transposed, so nothing is ever copied into another layout.
 */

interface GradientOptions extends Transposes {
  variant?: MatmulVariant | undefined;
  op?: string;
}

/** da of `shape`, from dy […, M, N] and b; summed over the axes along which a was repeated. */
export function matmulGradA(
  runtime: Runtime,
  dy: GpuArray,
  b: GpuArray,
  shape: readonly number[],
  { transposeA = false, transposeB = false, variant, op = 'matmul' }: GradientOptions,
): GpuArray {
  const common = { variant, op: `${op} grad-a` };
  const da = transposeA
    ? multiply(runtime, b, dy, { ...common, transposeA: transposeB, transposeB: true })
    : multiply(runtime, dy, b, { ...common, transposeB: !transposeB });
  return sumToShape(runtime, da, shape);
}

/** db of `shape`, from a and dy […, M, N]; summed over the axes along which b was repeated. */
export function matmulGradB(
  runtime: Runtime,
  a: GpuArray,
  dy: GpuArray,
  shape: readonly number[],
  options: GradientOptions,
): GpuArray {
  const { transposeA = false, transposeB = false, variant, op = 'matmul' } = options;
  if (!transposeA && sizeOf(shape.slice(0, -2)) === 1 && a.shape.length > 2) {
    return gradOfShared(runtime, a, dy, shape, options);
  }
  const common = { variant, op: `${op} grad-b` };
  const db = transposeB
    ? multiply(runtime, dy, a, { ...common, transposeA: true, transposeB: transposeA })
    : multiply(runtime, a, dy, { ...common, transposeA: !transposeA });
  return sumToShape(runtime, db, shape);
}

/** Gradient of a b that all matrices of a share: they form one tall matrix, so the sum is one matmul. */
function gradOfShared(
  runtime: Runtime,
  a: GpuArray,
  dy: GpuArray,
  shape: readonly number[],
  options: GradientOptions,
): GpuArray {
  const k = a.shape.at(-1)!;
  const n = dy.shape.at(-1)!;
  const tallA = a.view([a.size / k, k]);
  const tallDy = dy.view([dy.size / n, n]);
  const db = matmulGradB(runtime, tallA, tallDy, shape.slice(-2), options);
  tallA.release();
  tallDy.release();
  return reshaped(db, shape);
}
