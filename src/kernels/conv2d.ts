import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { accumulate } from './accumulate.js';
import { activationCodes } from './activation.js';
import { orPlaceholders, type Epilogue } from './bias_activation.js';
import { inF32 } from './cast.js';
import { conv2dCost, type Conv2dGeometry, type Conv2dTypes } from './conv2d_geometry.js';
import { conv2dGradInputColumns } from './conv2d_columns.js';
import { conv2dForwardFew, conv2dGradWeightFew } from './conv2d_few.js';
import { conv2dGradInputTiled } from './conv2d_grad_input.js';
import {
  conv2dForwardMatmul,
  conv2dGradientsMatmul,
  conv2dGradInputMatmul,
  conv2dGradWeightMatmul,
} from './conv2d_matmul.js';
import {
  conv2dForwardShuffle,
  conv2dGradInputShuffle,
  conv2dGradWeightShuffle,
} from './conv2d_shuffle.js';
import {
  conv2dForwardSubgroupMatrix,
  conv2dGradInputSubgroupMatrix,
  conv2dGradWeightSubgroupMatrix,
} from './conv2d_subgroup_matrix.js';
import { conv2dForwardTiled, conv2dGradWeightTiled } from './conv2d_tiled.js';
import {
  conv2dForwardWinograd,
  conv2dGradInputWinograd,
  conv2dGradWeightWinograd,
  conv2dGradientsWinograd,
  sharesTiles,
} from './conv2d_winograd.js';
import { variantFor, type Conv2dDirection, type Conv2dVariant } from './conv2d_variants.js';

const WORKGROUP = 64;

export { conv2dCost } from './conv2d_geometry.js';
export * from './conv2d_variants.js';

/** What a launcher of the forward direction may be told. */
export interface Conv2dForwardOptions extends Epilogue {
  variant?: Conv2dVariant | undefined;
}

/**
 * y = activation(x ∗ w + bias + residual); x [N H W C], w [R S C/groups K], bias [K], residual
 * [N P Q K] → y [N P Q K].
 */
export function conv2dForward(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  options: Conv2dForwardOptions = {},
): GpuArray {
  switch (pickVariant(runtime, 'forward', options.variant, geometry, typesOf(x, w))) {
    case 'shuffle':
      return conv2dForwardShuffle(runtime, x, w, bias, geometry, options);
    case 'few':
      return conv2dForwardFew(runtime, x, w, bias, geometry, options);
    case 'tiled':
      return conv2dForwardTiled(runtime, x, w, bias, geometry, options);
    case 'matmul':
      return conv2dForwardMatmul(runtime, x, w, bias, geometry, options);
    case 'winograd2':
      return conv2dForwardWinograd(runtime, x, w, bias, geometry, { ...options, tile: 2 });
    case 'winograd4':
      return conv2dForwardWinograd(runtime, x, w, bias, geometry, { ...options, tile: 4 });
    case 'subgroupMatrix':
      return conv2dForwardSubgroupMatrix(runtime, x, w, bias, geometry, options);
    case 'wide':
      return inF32(runtime, [x, w], (wideX, wideW) =>
        conv2dForward(runtime, wideX, wideW, bias, geometry, { ...options, variant: undefined }),
      );
    default:
      return forwardNaive(runtime, x, w, bias, geometry, options);
  }
}

function forwardNaive(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  { activation, residual }: Conv2dForwardOptions,
): GpuArray {
  const { n, p, q, k } = geometry;
  const y = runtime.alloc([n, p, q, k]);
  runtime.dispatch({
    shader: 'conv2d_forward_naive',
    op: 'conv2d forward',
    tune: { XElem: x.dtype, WElem: w.dtype },
    constants: {
      HAS_BIAS: bias !== undefined,
      HAS_RESIDUAL: residual !== undefined,
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { x, w, ...orPlaceholders(runtime, { bias, residual }), y },
    params: naiveParams(geometry),
    groups: Math.ceil(y.size / WORKGROUP),
    ...conv2dCost(geometry, typesOf(x, w)),
  });
  return y;
}

/** What a launcher of the input's gradient may be told. */
export interface Conv2dGradInputOptions {
  variant?: Conv2dVariant | undefined;
  /** Added to the gradient; of its shape. */
  addend?: GpuArray | undefined;
}

/** dx = dy ∗ᵀ w + addend; dy [N P Q K], w [R S C/groups K] → dx [N H W C]. */
export function conv2dGradInput(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
  { variant, addend }: Conv2dGradInputOptions = {},
): GpuArray {
  const epilogue = { residual: addend };
  switch (pickVariant(runtime, 'gradInput', variant, geometry, typesOf(dy, w))) {
    case 'shuffle':
      return conv2dGradInputShuffle(runtime, dy, w, geometry, epilogue);
    case 'columns':
      return plus(runtime, conv2dGradInputColumns(runtime, dy, w, geometry), addend);
    case 'tiled':
      return conv2dGradInputTiled(runtime, dy, w, geometry, epilogue);
    case 'matmul':
      return conv2dGradInputMatmul(runtime, dy, w, geometry, epilogue);
    case 'winograd2':
      return conv2dGradInputWinograd(runtime, dy, w, geometry, { ...epilogue, tile: 2 });
    case 'winograd4':
      return conv2dGradInputWinograd(runtime, dy, w, geometry, { ...epilogue, tile: 4 });
    case 'subgroupMatrix':
      return conv2dGradInputSubgroupMatrix(runtime, dy, w, geometry, epilogue);
    case 'wide':
      return inF32(runtime, [w], (wideW) =>
        conv2dGradInput(runtime, dy, wideW, geometry, { addend }),
      );
    default:
      return plus(runtime, gradInputNaive(runtime, dy, w, geometry), addend);
  }
}

/** Adds to an array of its own, after the kernel that made it. */
function plus(runtime: Runtime, array: GpuArray, addend: GpuArray | undefined): GpuArray {
  if (addend) accumulate(runtime, array, addend);
  return array;
}

function gradInputNaive(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  const dx = runtime.alloc([geometry.n, geometry.h, geometry.w, geometry.c]);
  runtime.dispatch({
    shader: 'conv2d_grad_input_naive',
    op: 'conv2d grad-input',
    tune: { WElem: w.dtype },
    bindings: { dy, w, dx },
    params: naiveParams(geometry),
    groups: Math.ceil(dx.size / WORKGROUP),
    ...conv2dCost(geometry, { w: w.dtype }),
  });
  return dx;
}

/** dw = x ∗ dy, summed over images and positions; x [N H W C], dy [N P Q K] → dw [R S C/groups K]. */
export function conv2dGradWeight(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
  options: { variant?: Conv2dVariant | undefined } = {},
): GpuArray {
  switch (pickVariant(runtime, 'gradWeight', options.variant, geometry, typesOf(x, dy))) {
    case 'shuffle':
      return conv2dGradWeightShuffle(runtime, x, dy, geometry);
    case 'few':
      return conv2dGradWeightFew(runtime, x, dy, geometry);
    case 'tiled':
      return conv2dGradWeightTiled(runtime, x, dy, geometry);
    case 'matmul':
      return conv2dGradWeightMatmul(runtime, x, dy, geometry);
    case 'winograd2':
      return conv2dGradWeightWinograd(runtime, x, dy, geometry);
    case 'subgroupMatrix':
      return conv2dGradWeightSubgroupMatrix(runtime, x, dy, geometry);
    case 'wide':
      return inF32(runtime, [x], (wideX) => conv2dGradWeight(runtime, wideX, dy, geometry));
    default:
      return gradWeightNaive(runtime, x, dy, geometry);
  }
}

function gradWeightNaive(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  const { r, s, c, k, groups } = geometry;
  const dw = runtime.alloc([r, s, c / groups, k]);
  runtime.dispatch({
    shader: 'conv2d_grad_weight_naive',
    op: 'conv2d grad-weight',
    tune: { XElem: x.dtype },
    bindings: { x, dy, dw },
    params: naiveParams(geometry),
    groups: Math.ceil(dw.size / WORKGROUP),
    ...conv2dCost(geometry, { x: x.dtype }),
  });
  return dw;
}

export interface Conv2dGradientsOptions {
  variants?: Partial<Record<'gradInput' | 'gradWeight', Conv2dVariant | undefined>>;
  /** Added to dx. */
  addend?: GpuArray | undefined;
}

/** dx and dw, as conv2dGradInput and conv2dGradWeight have them; in fewer dispatches where kernels do both. */
export function conv2dGradients(
  runtime: Runtime,
  operands: { x: GpuArray; w: GpuArray; dy: GpuArray },
  geometry: Conv2dGeometry,
  { variants = {}, addend }: Conv2dGradientsOptions = {},
): { dx: GpuArray; dw: GpuArray } {
  const { x, w, dy } = operands;
  const forInput = pickVariant(runtime, 'gradInput', variants.gradInput, geometry, typesOf(dy, w));
  const forWeight = pickVariant(
    runtime,
    'gradWeight',
    variants.gradWeight,
    geometry,
    typesOf(x, dy),
  );
  if (forInput === 'matmul' && forWeight === 'matmul') {
    return conv2dGradientsMatmul(runtime, operands, geometry, { residual: addend });
  }
  if (forInput === 'winograd2' && forWeight === 'winograd2' && sharesTiles(geometry)) {
    return conv2dGradientsWinograd(runtime, operands, geometry, { residual: addend });
  }
  return {
    dx: conv2dGradInput(runtime, dy, w, geometry, { variant: forInput, addend }),
    dw: conv2dGradWeight(runtime, x, dy, geometry, { variant: forWeight }),
  };
}

function pickVariant(
  runtime: Runtime,
  direction: Conv2dDirection,
  asked: Conv2dVariant | undefined,
  geometry: Conv2dGeometry,
  types: Conv2dTypes,
): Conv2dVariant {
  return variantFor(direction, asked, geometry, runtime.info, types, runtime.choices);
}

/** Types as they concern the choice; dy is f32. */
function typesOf(x: GpuArray, w: GpuArray): Conv2dTypes {
  return { x: x.dtype, w: w.dtype };
}

function naiveParams(geometry: Conv2dGeometry): Record<string, readonly number[]> {
  const { n, h, w, c, r, s, k, p, q, groups } = geometry;
  return {
    x_shape: [n, h, w, c],
    w_shape: [r, s, c / groups, k],
    y_shape: [n, p, q, k],
    stride: [geometry.strideH, geometry.strideW],
    pad: [geometry.padTop, geometry.padLeft],
    dilation: [geometry.dilationH, geometry.dilationW],
  };
}
