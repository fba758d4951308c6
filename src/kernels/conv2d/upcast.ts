import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { inF32 } from '../cast.js';
import type { Epilogue } from '../lib/bias_activation.js';
import type { Conv2dGeometry, Conv2dProblem } from './geometry.js';
import type {
  Addend,
  ForwardLauncher,
  GradInputLauncher,
  GradWeightLauncher,
} from './launchers.js';

/* Converts the operands to f32 and runs the variant chosen for f32. */

export function upcastUnsupported({ types }: Conv2dProblem): string | null {
  return types.x === 'f16' || types.w === 'f16' ? null : 'it needs an operand of f16';
}

export function conv2dForwardUpcast(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  { activation, residual }: Epilogue,
  launch: ForwardLauncher,
): GpuArray {
  return inF32(runtime, [x, w], (wideX, wideW) =>
    launch(runtime, wideX, wideW, bias, geometry, { activation, residual }),
  );
}

export function conv2dGradInputUpcast(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
  { addend }: Addend,
  launch: GradInputLauncher,
): GpuArray {
  return inF32(runtime, [w], (wide) => launch(runtime, dy, wide, geometry, { addend }));
}

export function conv2dGradWeightUpcast(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
  launch: GradWeightLauncher,
): GpuArray {
  return inF32(runtime, [x], (wide) => launch(runtime, wide, dy, geometry));
}
