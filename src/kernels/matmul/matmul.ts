import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import type { Epilogue } from '../lib/bias_activation.js';
import { selectMatmulVariant } from './choose.js';
import { matmulGeometry, productShape, type Transposes } from './geometry.js';
import { matmulVariants, type MatmulVariant } from './variants.js';

export interface MultiplyOptions extends Transposes, Epilogue {
  /** Added to every row, before the activation. */
  bias?: GpuArray | undefined;
  /** Used if it fits the operands. */
  variant?: MatmulVariant | undefined;
  /** Name in traces. */
  op?: string;
}

/**
 * y = activation(a · b + bias + residual), with f32 sums; a […, M, K], b […, K, N] (last two axes swapped where
 * transposed) → y […, M, N]. Shapes are not checked.
 */
export function multiply(
  runtime: Runtime,
  a: GpuArray,
  b: GpuArray,
  options: MultiplyOptions = {},
): GpuArray {
  const { bias, residual, activation, op = 'matmul' } = options;
  const geometry = matmulGeometry(a.shape, b.shape, options);
  const problem = { geometry, types: [a.dtype, b.dtype] as const, info: runtime.info };
  const variant = selectMatmulVariant(options.variant, problem, runtime.choices);
  const target = { shape: productShape(a.shape, geometry), op, activation };
  const { launch } = matmulVariants[variant];
  return launch(runtime, { a, b, bias, residual }, geometry, target, (wideA, wideB) =>
    multiply(runtime, wideA, wideB, { ...options, variant: undefined }),
  );
}
