import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import type { Conv2dGeometry } from '../conv2d/geometry.js';
import type { FusedActivation } from '../lib/activation.js';
import {
  depthwiseForwardNaive,
  depthwiseGradInputNaive,
  depthwiseGradWeightNaive,
} from './naive.js';
import type { DepthwiseProblem } from './params.js';
import { depthwiseForwardTile, depthwiseGradInputTile, tileUnsupported } from './tile.js';
import {
  depthwiseForwardVec4,
  depthwiseGradInputVec4,
  depthwiseGradWeightVec4,
  vec4Unsupported,
} from './vec4.js';

type Problem = Omit<DepthwiseProblem, 'info'>;

/** One way to compute a depthwise convolution: a row of the table. */
interface DepthwiseRow {
  /** Null if it can compute the problem. */
  unsupportedReason: (problem: Problem) => string | null;
  forward: (
    runtime: Runtime,
    x: GpuArray,
    w: GpuArray,
    bias: GpuArray | undefined,
    geometry: Conv2dGeometry,
    activation: FusedActivation | undefined,
  ) => GpuArray;
  gradInput: (runtime: Runtime, dy: GpuArray, w: GpuArray, geometry: Conv2dGeometry) => GpuArray;
  gradWeight?: (runtime: Runtime, x: GpuArray, dy: GpuArray, geometry: Conv2dGeometry) => GpuArray;
  shaders: readonly string[];
}

const table = {
  naive: {
    unsupportedReason: () => null,
    forward: depthwiseForwardNaive,
    gradInput: depthwiseGradInputNaive,
    gradWeight: depthwiseGradWeightNaive,
    shaders: [
      'depthwise_conv2d_forward_naive',
      'depthwise_conv2d_grad_input_naive',
      'depthwise_conv2d_grad_weight_naive',
    ],
  },
  vec4: {
    unsupportedReason: vec4Unsupported,
    forward: depthwiseForwardVec4,
    gradInput: depthwiseGradInputVec4,
    gradWeight: depthwiseGradWeightVec4,
    shaders: [
      'depthwise_conv2d_forward_vec4',
      'depthwise_conv2d_grad_input_vec4',
      'depthwise_conv2d_grad_weight_vec4',
      'sum_slices',
    ],
  },
  // A tile of the filter's gradient was tried: on llvmpipe it took 1.4 to 3 times as long as vec4.
  tile: {
    unsupportedReason: tileUnsupported,
    forward: depthwiseForwardTile,
    gradInput: depthwiseGradInputTile,
    shaders: ['depthwise_conv2d_forward_tile', 'depthwise_conv2d_grad_input_tile'],
  },
} satisfies Record<string, DepthwiseRow>;

export type DepthwiseVariant = keyof typeof table;

/** Every variant, naive first. To add one, add a row here and a file in this folder. */
export const depthwiseVariants: Readonly<Record<DepthwiseVariant, DepthwiseRow>> = table;

export const depthwiseVariantNames = Object.keys(table) as DepthwiseVariant[];

/** Why a variant cannot compute this, or null if it can. */
export function depthwiseUnsupportedReason(variant: string, problem: Problem): string | null {
  if (!Object.hasOwn(depthwiseVariants, variant)) return 'there is no such kernel';
  const row = depthwiseVariants[variant as DepthwiseVariant];
  return row[problem.direction]
    ? row.unsupportedReason(problem)
    : 'it does not compute this direction';
}

/** Every variant that can compute this, naive first. */
export function supportedDepthwiseVariants(problem: Problem): DepthwiseVariant[] {
  return depthwiseVariantNames.filter((name) => depthwiseUnsupportedReason(name, problem) === null);
}
