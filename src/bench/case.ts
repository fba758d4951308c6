import type { OpRecord } from '../autograd/record.js';
import type { Device } from '../device.js';
import type { DType, GpuArray } from '../gpu/array.js';
import type { Conv2dGeometry } from '../kernels/conv2d/geometry.js';
import type { BenchOpName } from './types.js';

/** One kernel that can compute a case; no `option` where the op has but one. */
export interface CaseVariant {
  name: string;
  /** The value of `options.variant` that asks for it. */
  option: unknown;
  /** How many times the error bound of the other kernels it may reach, by the nature of its method. */
  slack?: number;
}

/** One shape and direction of an op: what is measured with every variant that fits. */
export interface BenchCase {
  op: BenchOpName;
  /** In the form `--shape` takes. */
  shape: string;
  direction: string;
  dtype: 'f32' | 'f16';
  /** Floating-point operations and bytes, each array touched once. */
  cost: { flops: number; bytes: number };
  /** Only of a convolution: what another engine must know of it. */
  convolution?: Convolution | undefined;
  /** Why a kernel does not fit, or null if it does; absent if it is unknown. */
  unsupportedReason?: ((name: string, device: Device) => string | null) | undefined;
  open(device: Device): CaseRunner;
}

export interface Convolution {
  /** groups = C for a depthwise one. */
  geometry: Conv2dGeometry;
  /** As requested; engines may have faster code for these names. */
  padding: 'same' | 'valid' | number;
}

/** A case with its inputs on the GPU. */
export interface CaseRunner {
  /** Kernels that fit, the naive one first; some may turn out to be the same in this direction. */
  variants: readonly CaseVariant[];
  /** Inputs by name, and `dy` if there is one: random numbers, never constant. Borrowed. */
  operands: Readonly<Record<string, GpuArray>>;
  /** Records the work of one run, by the kernel chosen by default if none is named. */
  run(variant?: CaseVariant): GpuArray[];
  /** How far the values of one result may be from those of the naive kernel. */
  allowed(want: Float32Array, output: number): number;
  close(): void;
}

/** How the inputs of a case are drawn. */
export interface CaseInput {
  shape: readonly number[];
  /** `labels` are class numbers below `classes`; all else is random, never constant. */
  fill: 'normal' | 'positive' | 'labels';
  dtype?: DType;
  classes?: number;
}

/** An op record with inputs and options: most cases are made of one. */
export interface RecordCase {
  record: OpRecord;
  inputs: Record<string, CaseInput>;
  options: Record<string, unknown>;
  /** Inputs whose gradients are computed; none for the forward direction. */
  needs: readonly string[];
  /** Terms of the sum behind each result. */
  terms: number;
  /** About Σ|a·b| of each result; its largest value where null. */
  magnitudes: readonly (number | null)[];
  /** Where the record's own list does not tell one direction from another. */
  variants?: (device: Device) => CaseVariant[];
  convolution?: Convolution;
  unsupportedReason?: (name: string, device: Device) => string | null;
}
