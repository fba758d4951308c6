import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import type { Epilogue } from '../lib/bias_activation.js';
import { selectConv2dVariant } from './choose.js';
import type { Conv2dDirection, Conv2dGeometry } from './geometry.js';
import { conv2dVariants, type Conv2dVariant } from './variants.js';

interface Conv2dForwardOptions extends Epilogue {
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
  const variant = select(runtime, 'forward', options.variant, geometry, [x, w]);
  const launch = conv2dVariants[variant].forward!;
  return launch(runtime, x, w, bias, geometry, options, conv2dForward);
}

interface Conv2dGradInputOptions {
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
  options: Conv2dGradInputOptions = {},
): GpuArray {
  const variant = select(runtime, 'gradInput', options.variant, geometry, [dy, w]);
  const launch = conv2dVariants[variant].gradInput!;
  return launch(runtime, dy, w, geometry, options, conv2dGradInput);
}

/** dw = x ∗ dy, summed over images and positions; x [N H W C], dy [N P Q K] → dw [R S C/groups K]. */
export function conv2dGradWeight(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
  options: { variant?: Conv2dVariant | undefined } = {},
): GpuArray {
  const variant = select(runtime, 'gradWeight', options.variant, geometry, [x, dy]);
  const launch = conv2dVariants[variant].gradWeight!;
  return launch(runtime, x, dy, geometry, conv2dGradWeight);
}

interface Conv2dGradientsOptions {
  variants?: Partial<Record<Conv2dDirection, Conv2dVariant | undefined>>;
  /** Added to dx. */
  addend?: GpuArray | undefined;
}

/**
 * dx and dw, as from conv2dGradInput and conv2dGradWeight, in fewer dispatches if a kernel computes
 * both.
 */
export function conv2dGradients(
  runtime: Runtime,
  operands: { x: GpuArray; w: GpuArray; dy: GpuArray },
  geometry: Conv2dGeometry,
  { variants = {}, addend }: Conv2dGradientsOptions = {},
): { dx: GpuArray; dw: GpuArray } {
  const { x, w, dy } = operands;
  const forInput = select(runtime, 'gradInput', variants.gradInput, geometry, [dy, w]);
  const forWeight = select(runtime, 'gradWeight', variants.gradWeight, geometry, [x, dy]);
  const launch = forInput === forWeight ? conv2dVariants[forInput].gradients : undefined;
  return (
    launch?.(runtime, operands, geometry, { addend }) ?? {
      dx: conv2dGradInput(runtime, dy, w, geometry, { variant: forInput, addend }),
      dw: conv2dGradWeight(runtime, x, dy, geometry, { variant: forWeight }),
    }
  );
}

function select(
  { info, choices }: Runtime,
  direction: Conv2dDirection,
  asked: Conv2dVariant | undefined,
  geometry: Conv2dGeometry,
  [first, second]: readonly [GpuArray, GpuArray],
): Conv2dVariant {
  const types = { x: first.dtype, w: second.dtype };
  return selectConv2dVariant(asked, { direction, geometry, types, info }, choices);
}
