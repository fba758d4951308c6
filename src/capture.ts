import { ArrayHandle } from './autograd/array_handle.js';
import { watchOps, type OpWatcher } from './autograd/recording.js';
import { DeviceError, ShapeError } from './errors.js';
import { arrayText, type DType } from './gpu/array.js';
import { borrowedBy, isGone, type Borrowed } from './gpu/borrowed.js';
import type { Storage } from './gpu/buffer_pool.js';
import { dtypeOf, type HostValues } from './gpu/host_values.js';
import type { CapturedCommands, Runtime } from './gpu/runtime.js';
import { collectTensors, outsideScopes, runInScope, Tensor } from './tensor.js';

/* Implements device.capture: one recorded step for each set of input shapes. */

/** An argument of a captured function: a tensor, or host values of the captured input's type. */
export type CaptureInput = Tensor | Extract<HostValues, ArrayBufferView>;

export interface Captured<Args extends CaptureInput[], Result> {
  (...inputs: Args): Result;
  /** Releases the buffers of every captured step, including its results. */
  dispose(): void;
}

/** A tensor from outside that an op of the captured function took. */
interface Guest {
  handle: ArrayHandle;
  /** Its storage when the op used it. */
  storage: Storage;
  /** Which input of which op it was. */
  role: string;
}

interface CapturedStep<Result> {
  inputs: Tensor[];
  result: Result;
  captured: CapturedCommands;
  guests: Guest[];
  borrowed: Borrowed[];
}

interface InputKind {
  shape: readonly number[];
  dtype: DType;
}

export class CaptureCache<Args extends CaptureInput[], Result> {
  private readonly steps = new Map<string, CapturedStep<Result>>();

  constructor(
    private readonly runtime: Runtime,
    private readonly fn: (...inputs: { [K in keyof Args]: Tensor }) => Result,
  ) {}

  callable(): Captured<Args, Result> {
    const call = (...inputs: Args): Result => this.run(inputs);
    return Object.assign(call, { dispose: () => this.dispose() });
  }

  private run(inputs: Args): Result {
    inputs.forEach((input, i) => checkInput(input, placeOf(i, inputs), this.runtime));
    const kinds = inputs.map(kindOf);
    const key = kinds.map(arrayText).join(';');
    const known = this.steps.get(key);
    if (known) {
      checkGuests(known);
      inputs.forEach((input, i) => known.inputs[i].assign(input));
      this.runtime.replay(known.captured);
      return known.result;
    }
    const own = outsideScopes(() =>
      inputs.map((input, i) => {
        const { shape, dtype } = kinds[i];
        const tensor = Tensor.own(this.runtime, this.runtime.allocPersistent(shape, dtype));
        return tensor.assign(input);
      }),
    );
    try {
      const step = this.capture(own);
      this.steps.set(key, step);
      return step.result;
    } catch (error) {
      for (const tensor of own) tensor.dispose();
      const [first] = this.steps.values();
      throw first && error instanceof ShapeError ? misfit(error, kinds, first.inputs) : error;
    }
  }

  private capture(inputs: Tensor[]): CapturedStep<Result> {
    const { recorder } = this.runtime;
    const taken = new Map<ArrayHandle, Guest>();
    const watch: OpWatcher = ({ name: op }, _plan, _metas, _options, origin, values) => {
      const place = origin === null ? '' : ` in module ${origin}`;
      for (const [name, handle] of Object.entries(values.inputs)) {
        if (!(handle instanceof ArrayHandle) || taken.has(handle)) continue;
        taken.set(handle, {
          handle,
          storage: handle.meta.storage,
          role: `${name} of ${op}${place}`,
        });
      }
    };
    const run = (): Result => {
      const made = this.fn(...(inputs as { [K in keyof Args]: Tensor }));
      // Nobody else awaits this promise; its failure is reported here.
      if (made instanceof Promise) made.catch(() => undefined);
      if (recorder.refusal) throw recorder.refusal;
      if (made instanceof Promise) {
        throw new DeviceError(
          'capture: expected a synchronous function, got an async one',
          'return tensors from the function, and await their values after the call',
        );
      }
      return made;
    };
    const { result, captured, recorded } = this.runtime.captureCommands(() =>
      // The capture must run the same ops as the uncaptured step.
      watchOps(watch, () => runInScope(run), { apart: false }),
    );
    const { pool, pinned } = captured;
    const ownHandles = new Set(inputs.map(({ handle }) => handle));
    // A tensor that the function released is no longer needed.
    const guests = [...taken.values()].filter(
      ({ handle, storage }) => !storage.isOf(pool) && !ownHandles.has(handle) && !handle.isReleased,
    );
    const kept = [...pinned, ...inputs.map(({ gpuArray }) => gpuArray.storage)];
    return { inputs, result, captured, guests, borrowed: borrowedBy(recorded, pool, kept) };
  }

  private dispose(): void {
    for (const { inputs, result, captured } of this.steps.values()) {
      for (const input of inputs) input.dispose();
      const results = new Set<Tensor>();
      collectTensors(result, results, 0);
      for (const tensor of results) tensor.dispose();
      this.runtime.disposeCapture(captured);
    }
    this.steps.clear();
  }
}

/** Throws if a buffer from outside was released or moved since the capture. */
function checkGuests({ guests, borrowed }: CapturedStep<unknown>): void {
  for (const { handle, storage, role } of guests) {
    if (!handle.isReleased && handle.meta.storage === storage) continue;
    const name = handle.name === null ? '' : `${handle.name}, `;
    const what = `${name}${arrayText(handle.meta)} (${role}),`;
    if (handle.isReleased) throw goneError(what, `was released by ${handle.releasedBy}`);
    throw new DeviceError(
      `capture: ${what} which the captured step uses, moved to another buffer after the capture`,
      'make the optimizer before the first captured step: it moves its parameters together',
    );
  }
  const gone = borrowed.find(isGone);
  if (gone) throw goneError(`${gone.what},`, 'was given back');
}

function goneError(what: string, fate: string): DeviceError {
  return new DeviceError(
    `capture: ${what} which the captured step uses, ${fate} after the capture`,
    'keep it for as long as steps are replayed, or call dispose() of the captured function to ' +
      'have the next call capture anew',
  );
}

function checkInput(input: unknown, place: string, runtime: Runtime): void {
  if (input instanceof Tensor) {
    const what = `capture: ${place}, ${arrayText(input)},`;
    if (input.isDisposed) {
      throw new DeviceError(`${what} was released by ${input.handle.releasedBy}`);
    }
    if (input.runtime === runtime) return;
    throw new DeviceError(
      `${what} lives on another device than the captured step`,
      'pass what await input.data() gives',
    );
  }
  const isFlat = Array.isArray(input) && !Array.isArray(input[0]);
  if (isFlat || (ArrayBuffer.isView(input) && 'length' in input)) return;
  const got = Array.isArray(input) ? 'nested arrays' : input === null ? 'null' : typeof input;
  throw new ShapeError(
    `capture: ${place} must be a tensor or a typed array, got ${got}`,
    'make a tensor of it: device.tensor(values)',
  );
}

function placeOf(i: number, { length }: readonly unknown[]): string {
  return `input ${i + 1} of ${length}`;
}

function kindOf(input: CaptureInput): InputKind {
  if (input instanceof Tensor) return { shape: input.shape, dtype: input.dtype };
  return { shape: [input.length], dtype: dtypeOf(input) };
}

/** What the function could not do with inputs of other shapes, and which these are. */
function misfit(
  cause: ShapeError,
  kinds: readonly InputKind[],
  captured: readonly InputKind[],
): ShapeError {
  const others =
    kinds.length === captured.length
      ? kinds.flatMap((kind, i) => {
          const [came, expected] = [arrayText(kind), arrayText(captured[i])];
          return came === expected
            ? []
            : [`${placeOf(i, kinds)}: expected ${expected} as captured first, got ${came}`];
        })
      : [`expected ${captured.length} of them as captured first, got ${kinds.length}`];
  const [what] = cause.message.split('\nfix: ');
  return new ShapeError(
    `capture: the function does not take these inputs; ${others.join('; ')}; ${what}`,
    'pass inputs as captured first, or write the function for both: others are captured anew',
  );
}
