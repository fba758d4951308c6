import { inF32 } from '../cast.js';
import type { MatmulProblem } from './geometry.js';
import type { MatmulLauncher } from './launchers.js';
import { matmulNaive } from './naive.js';
import { inSlices } from './slices.js';
import { subgroup8, matmulSubgroup8Unsupported } from './subgroup8.js';
import { tiled, tiledVec4, tiledVec4Unsupported } from './tiled.js';

/** One way to compute a matmul: a row of the table. */
interface MatmulRow {
  /** Null if it can compute the problem. */
  unsupportedReason: (problem: MatmulProblem) => string | null;
  launch: MatmulLauncher;
  shaders: readonly string[];
}

const table = {
  naive: {
    unsupportedReason: () => null,
    launch: matmulNaive,
    shaders: ['matmul_forward_naive'],
  },
  subgroup8: {
    unsupportedReason: matmulSubgroup8Unsupported,
    launch: inSlices(subgroup8),
    shaders: ['matmul_forward_subgroup8', 'matmul_forward_subgroup8_pair', 'matmul_sum_slices'],
  },
  tiled: {
    unsupportedReason: () => null,
    launch: inSlices(tiled),
    shaders: ['matmul_forward_tiled', 'matmul_sum_slices'],
  },
  tiledVec4: {
    unsupportedReason: tiledVec4Unsupported,
    launch: inSlices(tiledVec4),
    shaders: ['matmul_forward_tiled_vec4', 'matmul_sum_slices'],
  },
  // Converts the operands to f32 and runs the variant chosen for f32.
  upcast: {
    unsupportedReason: ({ types }) => (types.includes('f16') ? null : 'it needs an operand of f16'),
    launch: (runtime, { a, b }, _geometry, _target, launch) => inF32(runtime, [a, b], launch),
    shaders: [],
  },
} satisfies Record<string, MatmulRow>;

export type MatmulVariant = keyof typeof table;

/** Every variant, naive first. To add one, add a row here and a file in this folder. */
export const matmulVariants: Readonly<Record<MatmulVariant, MatmulRow>> = table;

export const matmulVariantNames = Object.keys(table) as MatmulVariant[];

/** Why a variant cannot compute this, or null if it can. */
export function matmulUnsupportedReason(variant: string, problem: MatmulProblem): string | null {
  if (!Object.hasOwn(matmulVariants, variant)) return 'there is no such kernel';
  return matmulVariants[variant as MatmulVariant].unsupportedReason(problem);
}

/** Every variant that can compute this, naive first. */
export function supportedMatmulVariants(problem: MatmulProblem): MatmulVariant[] {
  return matmulVariantNames.filter((name) => matmulUnsupportedReason(name, problem) === null);
}
