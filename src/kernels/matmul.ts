import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import type { Epilogue } from './bias_activation.js';
import { inF32 } from './cast.js';
import { matmulGeometry, productShape, type Transposes } from './matmul_geometry.js';
import { depthOf, launchNaive, launchShuffle, launchTiled, sumSlices } from './matmul_launch.js';
import {
  chooseSlices,
  preferMatmulVariant,
  tileOf,
  type MatmulVariant,
} from './matmul_variants.js';
import { reshaped } from './reduce.js';

export interface MatmulOptions extends Transposes, Epilogue {
  /** Added to every row, before the activation. */
  bias?: GpuArray | undefined;
  /** Used where it fits the operands; see matmul_variants.ts. */
  variant?: MatmulVariant | undefined;
  /** What traces call it. */
  op?: string;
}

/**
 * y = activation(a · b + bias + residual), with f32 sums; a […, M, K], b […, K, N] (last two axes swapped where
 * transposed) → y […, M, N]. Shapes are taken to fit.
 */
export function multiply(
  runtime: Runtime,
  a: GpuArray,
  b: GpuArray,
  options: MatmulOptions = {},
): GpuArray {
  const { bias, residual, activation, op = 'matmul' } = options;
  const geometry = matmulGeometry(a.shape, b.shape, options);
  const types = [a.dtype, b.dtype] as const;
  const { info, choices } = runtime;
  const variant = preferMatmulVariant(options.variant, geometry, types, info, choices);
  const operands = { a, b, bias, residual };
  const shape = productShape(a.shape, geometry);
  if (variant === 'naive') {
    const y = runtime.alloc(shape);
    launchNaive(runtime, operands, y, geometry, { op, activation });
    return y;
  }
  if (variant === 'wide') {
    return inF32(runtime, [a, b], (wideA, wideB) =>
      multiply(runtime, wideA, wideB, { ...options, variant: undefined }),
    );
  }
  const tile = tileOf(variant, geometry, runtime.info);
  const depth = depthOf(geometry.k, chooseSlices(geometry, tile, runtime.info), tile.k);
  const slices = Math.ceil(geometry.k / depth);
  const launch = variant === 'shuffle' ? launchShuffle : launchTiled;
  if (slices === 1) {
    const y = runtime.alloc(shape);
    launch(runtime, operands, y, geometry, { variant, op, activation, depth, tile });
    return y;
  }
  const part = runtime.alloc([slices, ...shape]);
  const bare = { a, b, bias: undefined, residual: undefined };
  launch(runtime, bare, part, geometry, { variant, op, activation: undefined, depth, tile });
  const y = sumSlices(runtime, part, slices, { op, activation, bias, residual });
  part.release();
  return reshaped(y, shape);
}
