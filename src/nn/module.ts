import { isRecording, isRepeated, withOrigin } from '../autograd/recording.js';
import { ShapeError } from '../errors.js';
import { sizeOf } from '../gpu/array.js';
import { runInScope, Tensor } from '../tensor.js';
import { Buffer, Parameter } from './parameter.js';
import { recompute } from './recompute.js';
import { summarize, type Summary } from './summary.js';

/**
 * A layer, or a network of layers. Subclasses keep parameters, buffers and child modules as plain
 * fields (or arrays of modules) and write `forward`; the names of a state dict follow the fields:
 * `layer1.0.conv1.weight`.
 *
 * Run a module by `call`: it is `forward`, plus names for error texts, and outside training it
 * frees every intermediate result.
 */
export abstract class Module {
  /** True while training: dropout drops, batch norm uses the batch. */
  isTraining = true;
  /** Path of the module in the network it was first called in; null before any call. */
  path: string | null = null;
  /** Whether backward runs forward again instead of saving the values inside: see `recompute`. */
  isRecomputed = false;

  /** The layer's computation; the layer defines inputs after the first (such as a residual). */
  abstract forward(x: Tensor, ...more: Tensor[]): Tensor;

  /** What distinguishes this module from one with default options, for printing. */
  describe(): string {
    return '';
  }

  call(x: Tensor, ...more: Tensor[]): Tensor {
    if (this.path === null) this.namePaths();
    const path = this.path ?? '';
    const run = (first: Tensor, ...others: Tensor[]): Tensor =>
      withOrigin(path, () => this.forward(first, ...others));
    const y = !isRecording()
      ? runInScope(() => run(x, ...more))
      : this.isRecomputed
        ? recompute(run, x, ...more)
        : run(x, ...more);
    if (!isRepeated()) for (const watch of watchers) watch(this, path, y);
    return y;
  }

  /** Direct children by field name. */
  *children(): Generator<[string, Module]> {
    for (const [field, value] of Object.entries(this)) {
      if (value instanceof Module) yield [field, value];
      else if (Array.isArray(value)) {
        for (const [i, item] of value.entries()) {
          if (item instanceof Module) yield [`${field}.${i}`, item];
        }
      }
    }
  }

  /**
   * This module and all below it, with their paths; the root's path is empty. A module that is used
   * twice is listed once, under its first path.
   */
  *namedModules(prefix = '', seen = new Set<Module>()): Generator<[string, Module]> {
    if (seen.has(this)) return;
    seen.add(this);
    yield [prefix, this];
    for (const [field, child] of this.children()) {
      yield* child.namedModules(prefix === '' ? field : `${prefix}.${field}`, seen);
    }
  }

  *namedParameters(): Generator<[string, Parameter]> {
    yield* this.namedTensors(Parameter);
  }

  *namedBuffers(): Generator<[string, Buffer]> {
    yield* this.namedTensors(Buffer);
  }

  *parameters(): Generator<Parameter> {
    for (const [, parameter] of this.namedParameters()) yield parameter;
  }

  *buffers(): Generator<Buffer> {
    for (const [, buffer] of this.namedBuffers()) yield buffer;
  }

  train(isTraining = true): this {
    for (const [, module] of this.namedModules()) module.isTraining = isTraining;
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.zeroGrad();
  }

  /** Parameters and buffers by name: the tensors themselves, not copies. */
  stateDict(): Map<string, Tensor> {
    return new Map<string, Tensor>([...this.namedParameters(), ...this.namedBuffers()]);
  }

  /**
   * Copies values into the parameters and buffers of the same names.
   *
   * Errors: ShapeError naming what is missing, unknown or of another shape; nothing is changed
   * then. With `strict: false` missing and unknown names are left alone.
   */
  loadStateDict(
    state: ReadonlyMap<string, Tensor | StateValue>,
    { strict = true }: { strict?: boolean } = {},
  ): void {
    const own = this.stateDict();
    const problems = strict ? [...state.keys()].filter((name) => !own.has(name)) : [];
    problems.forEach((name, i) => (problems[i] = `${name} is unknown`));
    for (const [name, tensor] of own) {
      const value = state.get(name);
      const problem = value ? misfit(tensor, value) : strict ? 'is missing' : null;
      if (problem) problems.push(`${name} ${problem}`);
    }
    if (problems.length > 0) {
      const shown = problems.slice(0, 5).join('; ');
      const more = problems.length > 5 ? `; and ${problems.length - 5} more` : '';
      throw new ShapeError(
        `loadStateDict: ${shown}${more}`,
        'build the model with the options it was saved with',
      );
    }
    for (const [name, tensor] of own) {
      const value = state.get(name);
      if (value) tensor.assign(value instanceof Tensor ? value : value.data);
    }
  }

  /**
   * Layers, output shapes, parameters, FLOP and activation bytes for one image of `input`
   * (height, width, channels, or any shape without the batch axis). Runs a forward pass of zeros.
   */
  summary(input: readonly number[]): Summary {
    return summarize(this, input);
  }

  /** Releases the memory of all parameters and buffers. */
  dispose(): void {
    for (const tensor of this.stateDict().values()) tensor.dispose();
  }

  toString(): string {
    const lines = [...this.children()].map(([name, child]) =>
      `(${name}): ${child.toString()}`.replace(/\n/g, '\n  '),
    );
    const head = `${this.constructor.name}(${this.describe()}`;
    return lines.length === 0 ? `${head})` : `${head}\n  ${lines.join('\n  ')}\n)`;
  }

  private namePaths(): void {
    for (const [path, module] of this.namedModules()) module.path = path || module.constructor.name;
    for (const [name, { handle }] of this.stateDict()) handle.name ??= name;
  }

  private *namedTensors<T extends Parameter | Buffer>(
    kind: new (...args: never[]) => T,
  ): Generator<[string, T]> {
    for (const [path, module] of this.namedModules()) {
      for (const [field, value] of Object.entries(module)) {
        if (value instanceof kind) yield [path === '' ? field : `${path}.${field}`, value];
      }
    }
  }
}

/** Host values of an entry of a state dict. */
export interface StateValue {
  shape: readonly number[];
  data: Float32Array | Int32Array | Uint32Array | Uint8Array;
}

/** Why a value cannot be copied into `tensor`; null if it can. */
function misfit(tensor: Tensor, value: Tensor | StateValue): string | null {
  const expected = `expected [${tensor.shape.join(', ')}]`;
  if (value.shape.join() !== tensor.shape.join()) {
    return `has shape [${value.shape.join(', ')}], ${expected}`;
  }
  if (value instanceof Tensor) {
    if (value.dtype !== tensor.dtype) return `is ${value.dtype}, expected ${tensor.dtype}`;
    return value.runtime === tensor.runtime ? null : 'lives on another device';
  }
  const count = value.data.length;
  return count === sizeOf(tensor.shape) ? null : `has ${count} values, ${expected}`;
}

export type ModuleWatcher = (module: Module, path: string, output: Tensor) => void;

const watchers = new Set<ModuleWatcher>();

/** Whether module outputs are being watched. */
export function isWatchingModules(): boolean {
  return watchers.size > 0;
}

/** Calls `watch` with every module's output while `fn` runs. */
export function watchModules<T>(watch: ModuleWatcher, fn: () => T): T {
  watchers.add(watch);
  try {
    return fn();
  } finally {
    watchers.delete(watch);
  }
}

/**
 * The options that are not the defaults, as `stride=2, activation=relu`. Functions (initialisers) and
 * modules are omitted, since they have no short name.
 */
export function nonDefaults(
  options: Readonly<Record<string, unknown>>,
  defaults: Readonly<Record<string, unknown>> = {},
): string {
  return Object.entries(options)
    .filter(([, value]) => value !== undefined && typeof value !== 'function')
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(defaults[name]))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
