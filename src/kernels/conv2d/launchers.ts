import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import type { Epilogue } from '../lib/bias_activation.js';
import type { Conv2dGeometry } from './geometry.js';

export type ForwardLauncher = (
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  epilogue: Epilogue,
) => GpuArray;

export type GradInputLauncher = (
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
  added: Addend,
) => GpuArray;

export type GradWeightLauncher = (
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
) => GpuArray;

/** Added to dx; of its shape. */
export interface Addend {
  addend?: GpuArray | undefined;
}
