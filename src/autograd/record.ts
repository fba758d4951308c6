import type { DeviceInfo } from '../gpu/adapter.js';
import type { DType, GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';

/** Shape and element type: all that shape rules look at. */
export interface Meta {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

export type InputMetas = Record<string, Meta | undefined>;
export type InputArrays = Record<string, GpuArray | undefined>;

/** Result of a shape rule: the output's shape and type, and the numbers that kernels need. */
export type Plan = Meta;

export interface ForwardCall<Options, P extends Plan> {
  runtime: Runtime;
  /** Absent optional inputs are undefined. Borrowed: a record releases none of them. */
  inputs: InputArrays;
  options: Options;
  plan: P;
  /** False if no gradient will be requested: then `extras` are not needed. */
  keepsExtras: boolean;
  /** True when backward runs the op again: the first run has already updated any state. */
  isRepeated?: boolean;
}

export interface ForwardResult {
  y: GpuArray;
  /** Intermediate results named in `saves`; the tape owns them. */
  extras?: Record<string, GpuArray>;
}

export interface BackwardCall<Options, P extends Plan> {
  runtime: Runtime;
  /** Gradient of the output. Borrowed; return `dy.retain()` to pass it on as it is. */
  dy: GpuArray;
  /** The values `saves` names, by name; any other name is a GradError. Borrowed. */
  saved: Record<string, GpuArray>;
  inputs: InputMetas;
  options: Options;
  plan: P;
  /** Which inputs need a gradient; compute no other. */
  needs: Record<string, boolean>;
  /**
   * For inputs in `addsTo`: the sum of gradients from other ops so far, of the input's shape, which the
   * returned gradient must include. Borrowed.
   */
  addends?: Readonly<Record<string, GpuArray>>;
}

/** By input name; absent if not requested. */
export type Gradients = Record<string, GpuArray | undefined>;

/**
 * Everything there is to know about one op. The tape, the op list, the generic tests and the
 * derivatives page all read it.
 */
export interface OpRecord<Options = unknown, P extends Plan = Plan> {
  readonly name: string;
  /**
   * Values of `options.variant` that fit a plan on an adapter, where more than one kernel computes
   * the op. Tests run them all.
   */
  variants?(plan: P, info: DeviceInfo): readonly unknown[];
  /** Input names with their dimension letters, e.g. `{ x: 'N H W C', w: 'R S C K', bias: 'K?' }`. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Checks shapes and options. Pure; throws a ShapeError that names every shape. */
  shape(inputs: InputMetas, options: Options): P;
  forward(call: ForwardCall<Options, P>): ForwardResult;
  /**
   * Values that backward reads: an input's name, `y`, or the name of an extra, each with the inputs
   * whose gradient uses it. A value is saved only if one of these needs a gradient.
   */
  readonly saves: Readonly<Record<string, readonly string[]>>;
  /** The gradients as formulas, for the derivatives page: input name → formula. */
  readonly derivatives: Readonly<Record<string, string>>;
  /** Gradients by input name; the caller owns them. */
  backward(call: BackwardCall<Options, P>): Gradients;
  /** Inputs whose gradient backward can add to other gradients in the same pass. */
  readonly addsTo?: readonly string[];
  /** Floating-point operations of the forward pass; one multiply-add counts two. */
  flops(inputs: InputMetas, plan: P, options: Options): number;
  /** Bytes the forward pass must move: each input read once, the output written once. */
  bytes(inputs: InputMetas, plan: P, options: Options): number;
  /** Paper and section, or the textbook definition. */
  readonly source: string;
}
