import { autotuneSetting } from '#platform';
import { CaptureCache, type Captured, type CaptureInput } from './capture.js';
import type { DeviceInfo, DeviceOptions } from './gpu/adapter.js';
import { bytesPerElement, sizeOf, type DType } from './gpu/array.js';
import { DeviceError, ShapeError, UsageError } from './errors.js';
import {
  dtypeOf,
  encode,
  expectHoldable,
  flattenNested,
  type HostValues,
} from './gpu/host_values.js';
import type { DispatchTiming } from './gpu/profiler.js';
import { Runtime } from './gpu/runtime.js';
import { isOn } from './gpu/switch.js';
import { castArray } from './kernels/cast.js';
import { loadChoices } from './tune/choice_cache.js';
import { arangeArray, fillArray } from './kernels/fill.js';
import { randomArray } from './kernels/random.js';
import { reportOff, type TuneReport } from './tune/report.js';
import { tuneKernels, type TuneOptions } from './tune/tuner.js';
import { runInScope, Tensor } from './tensor.js';

export type { Captured, CaptureInput };

export interface TensorOptions {
  dtype?: DType;
  requiresGrad?: boolean;
}

export interface MemoryInfo {
  /** Buffers held by some tensor. */
  liveBuffers: number;
  liveBytes: number;
  /** The most bytes that were live at once. */
  peakBytes: number;
  /** Bytes allocated that wait for reuse. */
  pooledBytes: number;
}

/**
 * Opens a GPU (or a software adapter) for tensors.
 *
 * Errors: DeviceError if there is no adapter, or none whose name contains `adapter`; UsageError
 * for a seed that is not a whole number, or a value of TILEGRAD_AUTOTUNE or TILEGRAD_FUSION other than
 * on and off.
 *
 * @example
 * const device = await createDevice({ seed: 1 });
 * const x = device.tensor([[1, 2], [3, 4]]);
 * console.log(await x.matmul(x).array()); // [[7, 10], [15, 22]]
 * device.destroy();
 */
export async function createDevice(options: DeviceOptions = {}): Promise<Device> {
  const { seed = 0 } = options;
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new UsageError(`device: seed must be a whole number of at least 0, got ${seed}`);
  }
  const isTuned = isOn('TILEGRAD_AUTOTUNE', autotuneSetting());
  const runtime = await Runtime.open(options);
  runtime.choices.isTuningOff = !isTuned;
  if (isTuned && !options.isNull) await loadChoices(runtime);
  return new Device(runtime);
}

const devices = new WeakMap<Runtime, Device>();

/** The device of a tensor, or of anything else that has its runtime. */
export function deviceOf({ runtime }: { runtime: Runtime }): Device {
  return devices.get(runtime)!;
}

export class Device {
  /** @internal */
  readonly runtime: Runtime;
  private isDestroyed = false;

  /** @internal Use createDevice. */
  constructor(runtime: Runtime) {
    this.runtime = runtime;
    devices.set(runtime, this);
  }

  get info(): DeviceInfo {
    return this.runtime.info;
  }

  get memory(): MemoryInfo {
    const { liveBuffers, liveBytes, peakBytes, pooledBytes } = this.runtime.ledger;
    return { liveBuffers, liveBytes, peakBytes, pooledBytes };
  }

  /**
   * A tensor of host values: a typed array (its type decides the element type; 64-bit integers
   * become i32) or nested numbers.
   *
   * Errors: ShapeError if the number of values is not that of `shape`, rows are ragged, or an
   * integer type cannot hold a value (a fraction, NaN, one out of range).
   */
  tensor(values: HostValues, shape?: readonly number[], options: TensorOptions = {}): Tensor {
    const flat = flattenNested(values);
    const wanted = shape ?? flat.shape;
    checkShape('tensor', wanted);
    if (sizeOf(wanted) !== flat.data.length) {
      throw new ShapeError(
        `tensor: shape [${wanted.join(', ')}] holds ${sizeOf(wanted)} values, got ${flat.data.length}`,
      );
    }
    const dtype = options.dtype ?? dtypeOf(values);
    if (!(dtype in bytesPerElement)) {
      const known = Object.keys(bytesPerElement).join(', ');
      throw new ShapeError(`tensor: dtype must be one of ${known}, got ${String(dtype)}`);
    }
    if (dtype === 'f16') {
      const wide = this.runtime.alloc(wanted, 'f32');
      this.runtime.write(wide, encode(flat.data, 'f32'));
      const narrow = castArray(this.runtime, wide, 'f16');
      wide.release();
      return this.finish(Tensor.own(this.runtime, narrow), options);
    }
    const array = this.runtime.alloc(wanted, dtype);
    this.runtime.write(array, encode(flat.data, dtype));
    return this.finish(Tensor.own(this.runtime, array), options);
  }

  zeros(shape: readonly number[], options: TensorOptions = {}): Tensor {
    return this.full(shape, 0, options);
  }

  ones(shape: readonly number[], options: TensorOptions = {}): Tensor {
    return this.full(shape, 1, options);
  }

  full(shape: readonly number[], value: number, options: TensorOptions = {}): Tensor {
    checkShape('full', shape);
    const { dtype = 'f32' } = options;
    expectHoldable('full', value, dtype);
    const array = fillArray(this.runtime, shape, dtype, value);
    return this.finish(Tensor.own(this.runtime, array), options);
  }

  /** Normally distributed values. */
  randn(
    shape: readonly number[],
    options: TensorOptions & { mean?: number; standardDeviation?: number } = {},
  ): Tensor {
    const { mean = 0, standardDeviation = 1 } = options;
    checkShape('randn', shape);
    const rule = { kind: 'normal', mean, standardDeviation } as const;
    return this.finish(Tensor.own(this.runtime, randomArray(this.runtime, shape, rule)), options);
  }

  /** Values distributed evenly over [low, high). */
  uniform(
    shape: readonly number[],
    options: TensorOptions & { low?: number; high?: number } = {},
  ): Tensor {
    const { low = 0, high = 1 } = options;
    checkShape('uniform', shape);
    const rule = { kind: 'uniform', low, high } as const;
    return this.finish(Tensor.own(this.runtime, randomArray(this.runtime, shape, rule)), options);
  }

  /** start, start + step, … in a shape. */
  arange(
    shape: readonly number[] | number,
    options: TensorOptions & { start?: number; step?: number } = {},
  ): Tensor {
    const wanted = typeof shape === 'number' ? [shape] : shape;
    checkShape('arange', wanted);
    const { start = 0, step = 1, dtype = 'f32' } = options;
    const last = sizeOf(wanted) - 1;
    for (const i of [0, Math.min(1, last), last]) {
      expectHoldable('arange', start + i * step, dtype, i);
    }
    const array = arangeArray(this.runtime, wanted, dtype, start, step);
    return this.finish(Tensor.own(this.runtime, array), options);
  }

  /**
   * Frees every tensor made inside except what `fn` returns. An async function's scope lasts until
   * its promise settles, and frees what other code makes meanwhile as well.
   *
   * **Errors** GradError for an async function while another one is inside a scope.
   */
  scope<T>(fn: () => T): T {
    return runInScope(fn);
  }

  /**
   * Makes a step repeatable: the first call of the result runs `fn` and records its dispatches
   * with their buffers; later calls put new input values into the same buffers and replay. No
   * JavaScript of `fn` runs then, no shapes are checked and nothing is allocated. Inputs of other
   * shapes are captured again, once for each set of shapes.
   *
   * What changes from step to step (learning rate, step count, random numbers) is read from GPU
   * buffers, so a captured step computes what the uncaptured one would, bit for bit. `fn` must be
   * synchronous and must not read values back; it returns tensors that hold the newest results.
   *
   * Errors, of a call: DeviceError if `fn` is async or reads a value back, naming the method and
   * the line, and where a tensor that it uses from outside was released since; ShapeError for an
   * input that is neither tensor nor typed array, and where `fn` does not take other shapes.
   */
  capture<Args extends CaptureInput[], Result>(
    fn: (...inputs: { [K in keyof Args]: Tensor }) => Result,
  ): Captured<Args, Result> {
    return new CaptureCache<Args, Result>(this.runtime, fn).callable();
  }

  /** Waits until all recorded work has run; throws what went wrong. */
  async sync(): Promise<void> {
    await this.runtime.sync();
  }

  /** Runs `fn` and returns what each GPU dispatch in it took. */
  async profile(fn: () => void | Promise<void>): Promise<DispatchTiming[]> {
    if (!this.runtime.hasTimestamps) {
      throw new DeviceError(`profile: ${this.info.description} has no timestamp queries`);
    }
    return this.runtime.profile(fn);
  }

  /**
   * Finds the fastest kernel for every convolution and matmul in `fn`: runs it once to collect their
   * shapes, times every kernel that fits a shape and agrees with the naive one, and uses the fastest
   * from then on. The choices are stored in the user's cache folder for this adapter, driver and
   * version, and later devices start with them; shapes that have a choice are not timed again unless
   * `again` is set. Kernels add in different orders, so tuning may change the last bits of results;
   * afterwards they repeat exactly. Steps captured earlier keep their kernels. With
   * TILEGRAD_AUTOTUNE=off nothing is measured, and `fn` does not run.
   *
   * Errors: DeviceError within a capture.
   *
   * @example
   * const { kernels } = await device.tune(() => model.call(images).sum().backward());
   */
  async tune(fn: () => unknown, options: TuneOptions = {}): Promise<TuneReport> {
    const { runtime } = this;
    if (runtime.recorder.isCapturing) {
      throw new DeviceError(
        'tune: a captured function cannot be timed',
        'tune before the step is captured',
      );
    }
    if (runtime.choices.isTuningOff) return reportOff(options.say);
    const keys = await runtime.choices.observe(() => this.scope(fn));
    await runtime.sync();
    return tuneKernels(runtime, keys, options);
  }

  /** Releases everything. */
  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    this.runtime.destroy();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  private finish(tensor: Tensor, options: TensorOptions): Tensor {
    let result = tensor;
    if (options.dtype && options.dtype !== tensor.dtype) {
      result = Tensor.own(this.runtime, castArray(this.runtime, tensor.gpuArray, options.dtype));
      tensor.dispose();
    }
    if (options.requiresGrad) result.requiresGrad = true;
    return result;
  }
}

function checkShape(what: string, shape: readonly number[]): void {
  if (shape.every((n) => Number.isInteger(n) && n > 0)) return;
  throw new ShapeError(
    `${what}: expected positive whole numbers as shape, got [${shape.join(', ')}]`,
  );
}
