import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import type { FusedActivation } from '../lib/activation.js';
import type { MatmulGeometry } from './geometry.js';

export interface MatmulOperands {
  a: GpuArray;
  b: GpuArray;
  bias: GpuArray | undefined;
  residual: GpuArray | undefined;
}

/** The result's shape, name in traces, and epilogue. */
export interface MatmulTarget {
  shape: readonly number[];
  op: string;
  activation: FusedActivation | undefined;
}

/** A variant that only converts operands calls `launch` to run another one. */
export type MatmulLauncher = (
  runtime: Runtime,
  operands: MatmulOperands,
  geometry: MatmulGeometry,
  target: MatmulTarget,
  launch: (a: GpuArray, b: GpuArray) => GpuArray,
) => GpuArray;
