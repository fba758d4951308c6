import { ArrayHandle } from './autograd/array_handle.js';
import { Extent } from './autograd/extent.js';
import { apply, runBackward } from './autograd/tape.js';
import type { Leaf, TapeNode } from './autograd/node.js';
import type { OpRecord, Plan } from './autograd/record.js';
import { isGradFree } from './autograd/recording.js';
import { arrayText, sizeOf, type DType, type GpuArray } from './gpu/array.js';
import { DeviceError, GradError, ShapeError } from './errors.js';
import {
  encode,
  flattenNested,
  nest,
  viewOf,
  type HostValues,
  type NestedNumbers,
  type TypedArray,
} from './gpu/host_values.js';
import type { Runtime } from './gpu/runtime.js';
import type { TensorMethods } from './ops/index.js';
import { accumulate, addArrays, copyArray } from './kernels/lib/accumulate.js';
import { castArray } from './kernels/cast.js';
import { fillArray } from './kernels/fill.js';

/** The open scopes, innermost last; each holds the tensors made inside it. */
const scopes: Set<Tensor>[] = [];

/** Releases the memory of tensors that are collected without dispose(). */
const lost = new FinalizationRegistry<ArrayHandle>((handle) => handle.release('the collector'));

/** Every op is a method; ops/index.ts adds them to the prototype. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging, @typescript-eslint/no-empty-object-type -- see above
export interface Tensor extends TensorMethods {}

/**
 * An n-dimensional array on the GPU, and the tape's view of it.
 *
 * Operations are methods (`x.matmul(w).relu()`) and functions of `ops`; both record what
 * `backward()` needs wherever an input has `requiresGrad`. Values come back by `await data()`.
 *
 * Memory: results of recorded operations return to the pool during `backward()`; `dispose()`,
 * `using`, `device.scope` and, last, the garbage collector free the others.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- the interface has the ops
export class Tensor {
  /** @internal */
  readonly runtime: Runtime;
  /** @internal */
  readonly handle: ArrayHandle;
  /** @internal The operation that made this tensor, while it may be run backward. */
  readonly node: TapeNode | null;
  private wantsGrad: boolean;
  private gradient: Tensor | null = null;

  /** @internal Use `device.tensor` and its siblings. */
  constructor(runtime: Runtime, handle: ArrayHandle, node: TapeNode | null, requiresGrad: boolean) {
    this.runtime = runtime;
    this.handle = handle;
    this.node = node;
    this.wantsGrad = requiresGrad;
    const scope = scopes.at(-1);
    if (scope) scope.add(this);
    else runtime.countLoose(handle.meta.byteLength);
    lost.register(this, handle, this);
  }

  /** @internal A tensor that owns `array`. */
  static own(runtime: Runtime, array: GpuArray, requiresGrad = false): Tensor {
    return new Tensor(runtime, new ArrayHandle(array), null, requiresGrad);
  }

  get shape(): readonly number[] {
    return this.handle.meta.shape;
  }

  get dtype(): DType {
    return this.handle.meta.dtype;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  /** Sum of the gradients that reached this tensor since the last zeroGrad; null before any. */
  get grad(): Tensor | null {
    return this.gradient;
  }

  get requiresGrad(): boolean {
    return this.wantsGrad || this.node !== null;
  }

  set requiresGrad(value: boolean) {
    if (this.node) {
      throw new GradError(
        'requiresGrad: only tensors made by hand can change it, this one is the result of ' +
          this.node.name,
        'use detach()',
      );
    }
    if (value && this.dtype !== 'f32') {
      throw new GradError(`requiresGrad: expected a tensor of f32, got ${this.dtype}`);
    }
    this.wantsGrad = value;
  }

  /** @internal */
  get leaf(): Leaf | null {
    return this.wantsGrad && !this.node ? this : null;
  }

  /** @internal The array on the GPU; throws when it was released. */
  get gpuArray(): GpuArray {
    return this.handle.array;
  }

  get isDisposed(): boolean {
    return this.handle.isReleased;
  }

  /** The values, row by row, as a typed array of the tensor's type (f16 comes as Float32Array). */
  data(): Promise<TypedArray> {
    this.refuseInCapture('data');
    return this.values();
  }

  /** The only value of a tensor of one element. */
  item(): Promise<number> {
    this.refuseInCapture('item');
    return this.onlyValue();
  }

  /** The values as nested arrays. */
  array(): Promise<NestedNumbers> {
    this.refuseInCapture('array');
    return this.values().then((values) => nest(values, this.shape));
  }

  /**
   * Adds the gradient of this tensor with respect to every leaf to the leaf's `grad`.
   *
   * `gradient` is the gradient of the final quantity with respect to this tensor; it may be omitted for
   * a tensor of one element, where it is 1.
   *
   * Errors: GradError without a recorded operation, on a second call, or without `gradient` where
   * it is needed; ShapeError if its shape is another.
   */
  backward(gradient?: Tensor): void {
    const { runtime, shape } = this;
    if (!this.requiresGrad) {
      throw new GradError(
        'backward: nothing to do, no input of this result has requiresGrad',
        isGradFree()
          ? 'call it outside noGrad, and after an async function inside noGrad has finished'
          : 'pass { requiresGrad: true } to device.tensor, and compute the result outside noGrad',
      );
    }
    if (!gradient && this.size !== 1) {
      throw new GradError(
        `backward: expected one element, got a tensor [${shape.join(', ')}]`,
        'reduce it (sum, mean), or pass the gradient',
      );
    }
    if (gradient && gradient.shape.join() !== shape.join()) {
      throw new ShapeError(
        `backward: gradient has shape [${gradient.shape.join(', ')}] but the tensor has [${shape.join(', ')}]`,
      );
    }
    if (gradient && gradient.dtype !== 'f32') {
      throw new ShapeError(`backward: gradient must be of type f32, got ${gradient.dtype}`);
    }
    if (gradient && gradient.runtime !== runtime) {
      throw new DeviceError('backward: gradient lives on another device than the tensor');
    }
    const dy = gradient ? gradient.gpuArray.retain() : fillArray(runtime, shape, 'f32', 1);
    if (this.node) runBackward(runtime, this.node, dy);
    else this.accumulateGrad(runtime, dy);
  }

  /** @internal */
  accumulateGrad(runtime: Runtime, gradient: GpuArray): void {
    if (this.gradient && !this.gradient.isDisposed) {
      // In place, so that the gradient keeps its buffer between replays of a captured step. A shared
      // array is replaced instead, since others must not see it change.
      const before = this.gradient.gpuArray;
      if (!before.storage.isShared) {
        accumulate(runtime, before, gradient);
        gradient.release();
        return;
      }
      const sum = addArrays(runtime, before, gradient);
      gradient.release();
      this.gradient.dispose();
      this.placeGrad(sum);
      return;
    }
    let own = gradient;
    if (gradient.storage.isShared) {
      own = copyArray(runtime, gradient);
      gradient.release();
    }
    this.placeGrad(own);
  }

  private placeGrad(array: GpuArray): void {
    this.gradient = outsideScopes(() => Tensor.own(this.runtime, array));
  }

  /** Forgets the gradient. */
  zeroGrad(): void {
    this.gradient?.dispose();
    this.gradient = null;
  }

  /** The same values without history; shares memory. */
  detach(): Tensor {
    return Tensor.own(this.runtime, this.gpuArray.retain());
  }

  /** @internal Moves the tensor to `array`, which it owns from now on, with whatever is in it. */
  rehome(array: GpuArray): void {
    this.handle.replace(array);
  }

  /** Writes new values into the same memory, for parameters and long-lived inputs. */
  assign(values: Tensor | HostValues): this {
    if (values instanceof Tensor) {
      if (values.shape.join() !== this.shape.join() || values.dtype !== this.dtype) {
        throw new ShapeError(
          `assign: expected ${this.dtype} [${this.shape.join(', ')}], got ${values.dtype} [${values.shape.join(', ')}]`,
        );
      }
      if (values.runtime !== this.runtime) {
        throw new DeviceError(
          'assign: the values live on another device than the tensor',
          'pass what await values.data() gives',
        );
      }
      this.runtime.copy(values.gpuArray, this.gpuArray);
      return this;
    }
    const { data } = flattenNested(values);
    if (data.length !== this.size) {
      throw new ShapeError(
        `assign: expected ${this.size} values for [${this.shape.join(', ')}], got ${data.length}`,
      );
    }
    this.runtime.write(this.gpuArray, encode(data, this.dtype));
    return this;
  }

  /** Releases the memory. A disposed tensor can no longer be used. */
  dispose(): void {
    lost.unregister(this);
    this.handle.release('dispose()');
    this.zeroGrad();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Throws synchronously, so that the captured call fails at the line of the read. */
  private refuseInCapture(method: string): void {
    const { runtime, node } = this;
    if (!runtime.recorder.isCapturing) return;
    const made = node ? `, the result of ${node.name},` : '';
    runtime.recorder.refuseRead(`${method}() of ${arrayText(this)}${made}`);
  }

  private async values(): Promise<TypedArray> {
    const { runtime, gpuArray } = this;
    const source = this.dtype === 'f16' ? castArray(runtime, gpuArray, 'f32') : gpuArray.retain();
    try {
      const bytes = await runtime.read(source);
      return viewOf(bytes, source.dtype);
    } finally {
      source.release();
    }
  }

  private async onlyValue(): Promise<number> {
    if (this.size !== 1) {
      throw new ShapeError(`item: expected one element, got a tensor [${this.shape.join(', ')}]`);
    }
    return (await this.values())[0];
  }

  toString(): string {
    return `Tensor(${this.dtype} [${this.shape.join(', ')}])`;
  }
}

/** @internal Runs an op record on tensors of one device. */
export function applyOp<Options, P extends Plan>(
  record: OpRecord<Options, P>,
  inputs: Record<string, Tensor | undefined>,
  options: Options,
): Tensor {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const got = Array.isArray(options) ? `an array [${options.join(', ')}]` : String(options);
    throw new ShapeError(`${record.name}: expected options as an object, got ${got}`);
  }
  let runtime: Runtime | null = null;
  for (const name in inputs) {
    const tensor = inputs[name];
    if (!tensor) continue;
    if (!(tensor instanceof Tensor)) {
      throw new ShapeError(
        `${record.name}: ${name} must be a tensor, got ${typeof tensor}`,
        'make one with device.tensor(values)',
      );
    }
    if (runtime && tensor.runtime !== runtime) {
      throw new DeviceError(
        `${record.name}: ${name} lives on another device than the other inputs`,
      );
    }
    runtime ??= tensor.runtime;
  }
  if (!runtime) throw new ShapeError(`${record.name}: got no input`);
  const { handle, node } = apply(runtime, record, inputs, options);
  return new Tensor(runtime, handle, node, false);
}

const scopeExtent = new Extent(
  'scope',
  'await the other one first, or put only the synchronous calls inside scope',
);

/** @internal Frees every tensor made in `fn` except what it returns. See Device.scope. */
export function runInScope<T>(fn: () => T): T {
  const scope = new Set<Tensor>();
  scopes.push(scope);
  return scopeExtent.run(fn, (result) => {
    scopes.splice(scopes.lastIndexOf(scope), 1);
    const kept = new Set<Tensor>();
    collectTensors(result, kept, 0);
    const outer = scopes.at(-1);
    for (const tensor of scope) {
      if (!kept.has(tensor)) tensor.dispose();
      else if (outer) outer.add(tensor);
    }
  });
}

/** @internal Makes tensors that belong to no scope: parameters, gradients, optimizer state. */
export function outsideScopes<T>(fn: () => T): T {
  const inner = scopes.splice(0, scopes.length);
  try {
    return fn();
  } finally {
    scopes.push(...inner);
  }
}

/** @internal Tensors inside a result: itself, or in arrays and plain objects. */
export function collectTensors(value: unknown, into: Set<Tensor>, depth: number): void {
  if (value instanceof Tensor) {
    into.add(value);
    if (value.grad) into.add(value.grad);
  } else if (typeof value === 'object' && value !== null && depth < 8) {
    if (ArrayBuffer.isView(value)) return;
    const values: Iterable<unknown> =
      value instanceof Map || value instanceof Set ? value.values() : Object.values(value);
    for (const item of values) collectTensors(item, into, depth + 1);
  }
}
