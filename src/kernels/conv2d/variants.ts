import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { col2imUnsupported, conv2dGradInputCol2im } from './col2im.js';
import type { Conv2dDirection, Conv2dGeometry, Conv2dProblem } from './geometry.js';
import type {
  Addend,
  ForwardLauncher,
  GradInputLauncher,
  GradWeightLauncher,
} from './launchers.js';
import {
  conv2dForwardMatmul,
  conv2dGradientsMatmul,
  conv2dGradInputMatmul,
  conv2dGradWeightMatmul,
  matmulUnsupported,
} from './matmul.js';
import { conv2dForwardNaive, conv2dGradInputNaive, conv2dGradWeightNaive } from './naive.js';
import {
  conv2dForwardSmallChannel,
  conv2dGradWeightSmallChannel,
  smallChannelUnsupported,
} from './small_channel.js';
import {
  conv2dForwardSubgroup8,
  conv2dGradInputSubgroup8,
  conv2dGradWeightSubgroup8,
  conv2dSubgroup8Unsupported,
} from './subgroup8.js';
import {
  conv2dForwardSubgroupMatrix,
  conv2dGradInputSubgroupMatrix,
  conv2dGradWeightSubgroupMatrix,
  subgroupMatrixSlack,
  subgroupMatrixUnsupported,
} from './subgroup_matrix.js';
import { conv2dForwardTiled, conv2dGradInputTiled, conv2dGradWeightTiled } from './tiled.js';
import {
  conv2dForwardUpcast,
  conv2dGradInputUpcast,
  conv2dGradWeightUpcast,
  upcastUnsupported,
} from './upcast.js';
import {
  conv2dForwardWinograd,
  conv2dGradientsWinograd,
  conv2dGradInputWinograd,
  conv2dGradWeightWinograd,
  winogradUnsupported,
} from './winograd.js';

/** A variant that only converts operands calls `launch` to run another one. */
type Launcher<L extends ForwardLauncher | GradInputLauncher | GradWeightLauncher> = (
  ...args: [...Parameters<L>, launch: L]
) => GpuArray;

/** One way to compute a convolution: a row of the table. */
interface Conv2dRow {
  /** Why it cannot compute a direction that it has a launcher for; null if it can. */
  unsupportedReason: (problem: Conv2dProblem) => string | null;
  forward?: Launcher<ForwardLauncher>;
  gradInput?: Launcher<GradInputLauncher>;
  gradWeight?: Launcher<GradWeightLauncher>;
  /** Both gradients in fewer dispatches; null if the shape allows no sharing. */
  gradients?: (
    runtime: Runtime,
    operands: { x: GpuArray; w: GpuArray; dy: GpuArray },
    geometry: Conv2dGeometry,
    added: Addend,
  ) => { dx: GpuArray; dw: GpuArray } | null;
  /** Shaders of its launchers, without those of matmul, pooling and casts. */
  shaders: readonly string[];
  /** Set if it reads f16 operands. */
  readsF16?: true;
  /** Factor by which it may exceed the common error bound; default 1. */
  slack?: (direction: Conv2dDirection, terms: number) => number;
  /** Exceeds the bound even in f32, so it runs only on request. */
  isInaccurate?: true;
}

/** Used for the phases of a gradient. */
const flips = ['conv2d_flip_filter', 'conv2d_flip_filter_vec4'];
const winograd = ['conv2d_winograd_operands', 'conv2d_winograd_operands_flipped'];

const table = {
  naive: {
    unsupportedReason: () => null,
    forward: conv2dForwardNaive,
    gradInput: conv2dGradInputNaive,
    gradWeight: conv2dGradWeightNaive,
    shaders: ['conv2d_forward_naive', 'conv2d_grad_input_naive', 'conv2d_grad_weight_naive'],
    readsF16: true,
  },
  tiled: {
    unsupportedReason: () => null,
    forward: conv2dForwardTiled,
    gradInput: conv2dGradInputTiled,
    gradWeight: conv2dGradWeightTiled,
    shaders: [
      ...['conv2d_forward_tiled', 'conv2d_forward_tiled_vec4', ...flips],
      ...['conv2d_grad_weight_tiled', 'conv2d_grad_weight_tiled_vec4', 'sum_slices'],
    ],
    readsF16: true,
  },
  matmul: {
    unsupportedReason: matmulUnsupported,
    forward: conv2dForwardMatmul,
    gradInput: conv2dGradInputMatmul,
    gradWeight: conv2dGradWeightMatmul,
    gradients: conv2dGradientsMatmul,
    shaders: [],
    readsF16: true,
  },
  winograd2: {
    unsupportedReason: (problem) => winogradUnsupported(problem, 2),
    forward: conv2dForwardWinograd(2),
    gradInput: conv2dGradInputWinograd(2),
    gradWeight: conv2dGradWeightWinograd,
    gradients: conv2dGradientsWinograd,
    shaders: [
      ...[...winograd, 'conv2d_winograd_output', 'conv2d_winograd_grad_operands'],
      ...['conv2d_winograd_grad_filter', 'conv2d_winograd_gradients_operands'],
      'conv2d_winograd_gradients_results',
    ],
  },
  winograd4: {
    unsupportedReason: (problem) => winogradUnsupported(problem, 4),
    forward: conv2dForwardWinograd(4),
    gradInput: conv2dGradInputWinograd(4),
    shaders: [...winograd, 'conv2d_winograd_output'],
    // F(4×4) adds numbers before multiplying: for equal numbers the absolute products along one axis
    // sum to 47 times those of the direct sum.
    slack: () => 47,
    isInaccurate: true,
  },
  subgroupMatrix: {
    unsupportedReason: subgroupMatrixUnsupported,
    forward: conv2dForwardSubgroupMatrix,
    gradInput: conv2dGradInputSubgroupMatrix,
    gradWeight: conv2dGradWeightSubgroupMatrix,
    shaders: [
      ...['conv2d_forward_subgroup_matrix', ...flips],
      ...['conv2d_grad_weight_subgroup_matrix', 'sum_slices'],
    ],
    readsF16: true,
    slack: subgroupMatrixSlack,
  },
  col2im: {
    unsupportedReason: col2imUnsupported,
    gradInput: conv2dGradInputCol2im,
    shaders: ['conv2d_grad_input_col2im_filter', 'conv2d_grad_input_col2im_sum'],
  },
  subgroup8: {
    unsupportedReason: conv2dSubgroup8Unsupported,
    forward: conv2dForwardSubgroup8,
    gradInput: conv2dGradInputSubgroup8,
    gradWeight: conv2dGradWeightSubgroup8,
    shaders: [
      ...['conv2d_forward_subgroup8', ...flips],
      ...['conv2d_grad_weight_subgroup8', 'sum_slices'],
    ],
  },
  smallChannel: {
    unsupportedReason: smallChannelUnsupported,
    forward: conv2dForwardSmallChannel,
    gradWeight: conv2dGradWeightSmallChannel,
    shaders: ['conv2d_forward_small_channel', 'conv2d_grad_weight_small_channel', 'sum_slices'],
  },
  upcast: {
    unsupportedReason: upcastUnsupported,
    forward: conv2dForwardUpcast,
    gradInput: conv2dGradInputUpcast,
    gradWeight: conv2dGradWeightUpcast,
    shaders: [],
    readsF16: true,
  },
} satisfies Record<string, Conv2dRow>;

export type Conv2dVariant = keyof typeof table;

/** Every variant, naive first. To add one, add a row here and a file in this folder. */
export const conv2dVariants: Readonly<Record<Conv2dVariant, Conv2dRow>> = table;

export const conv2dVariantNames = Object.keys(table) as Conv2dVariant[];

/** Why a variant cannot compute this, or null if it can. */
export function conv2dUnsupportedReason(variant: string, problem: Conv2dProblem): string | null {
  if (!Object.hasOwn(conv2dVariants, variant)) return 'there is no such kernel';
  const row = conv2dVariants[variant as Conv2dVariant];
  const { x, w } = problem.types;
  if ((x === 'f16' || w === 'f16') && !row.readsF16) return 'it needs operands of f32';
  if (!row[problem.direction]) return 'it does not compute this direction';
  return row.unsupportedReason(problem);
}

/** Every variant that can compute this, naive first. */
export function supportedConv2dVariants(problem: Conv2dProblem): Conv2dVariant[] {
  return conv2dVariantNames.filter((name) => conv2dUnsupportedReason(name, problem) === null);
}
