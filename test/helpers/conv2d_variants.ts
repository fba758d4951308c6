import type { DeviceInfo } from '../../src/gpu/adapter.js';
import {
  chooseConv2dVariant,
  variantsByDirection,
  type Conv2dVariantOption,
} from '../../src/kernels/conv2d/choose.js';
import {
  f32Operands,
  type Conv2dDirection,
  type Conv2dGeometry,
} from '../../src/kernels/conv2d/geometry.js';
import { supportedConv2dVariants, type Conv2dVariant } from '../../src/kernels/conv2d/variants.js';

/** Every variant that fits a direction. */
export function supported(
  direction: Conv2dDirection,
  geometry: Conv2dGeometry,
  info: DeviceInfo,
  types = f32Operands,
): Conv2dVariant[] {
  return supportedConv2dVariants({ direction, geometry, info, types });
}

/** What each direction runs: what is asked for, else the default. */
export function resolved(
  asked: Conv2dVariantOption | undefined,
  geometry: Conv2dGeometry,
  info: DeviceInfo,
  types = f32Operands,
): Record<Conv2dDirection, Conv2dVariant> {
  const chosen = (direction: Conv2dDirection) =>
    chooseConv2dVariant({ direction, geometry, info, types });
  return {
    forward: chosen('forward'),
    gradInput: chosen('gradInput'),
    gradWeight: chosen('gradWeight'),
    ...variantsByDirection(asked, geometry, info, types),
  };
}
