import { DeviceError, GradError, ShapeError } from '../errors.js';
import type { GpuArray } from '../gpu/array.js';
import { F32_RANGE, isF32 } from '../gpu/f32.js';
import type { Runtime } from '../gpu/runtime.js';
import type { Guard, OptimizerArrays } from '../kernels/optimizer.js';
import { outsideScopes, Tensor } from '../tensor.js';
import {
  allocArena,
  gatherInto,
  hasGradient,
  layOut,
  moveInto,
  ownersOf,
  partOf,
  type ArenaLayout,
  type Slot,
} from './arena.js';
import type { LossScaler } from './loss_scaler.js';

/** Tensors with requiresGrad, with or without names. */
export type PlainParameters = Iterable<Tensor> | Iterable<readonly [string, Tensor]>;

/** Parameters that are trained in a way of their own. */
export interface ParameterGroup {
  parameters: PlainParameters;
  /** Their learning rate is the optimizer's times this. Default 1. */
  lrScale?: number;
  /** In place of the optimizer's. */
  weightDecay?: number;
}

/** What an optimizer takes. */
export type Parameters = PlainParameters | Iterable<ParameterGroup>;

/** Values of one entry of a state that are not on the GPU yet. */
export interface SavedState {
  shape: readonly number[];
  data: Float32Array | Int32Array | Uint32Array | Uint8Array;
}

/** Everything an optimizer remembers between steps. */
export interface OptimizerState<T = Tensor> {
  /** `<parameter>.<state>`: moments and velocities, by name; with a LossScaler also `steps`. */
  tensors: Map<string, T>;
  /**
   * `lr`, and for each parameter `<parameter>.step`, the steps it took part in. With a LossScaler
   * only the GPU knows these: they are the tensor `steps`, u32 [parameters].
   */
  scalars: Record<string, number>;
}

/** The parameters of one arena with their gradients and state. */
interface Group {
  layout: ArenaLayout;
  values: Tensor;
  gradients: Tensor;
  owners: Tensor;
  state: Record<string, Tensor>;
}

interface Member {
  name: string;
  tensor: Tensor;
  lrScale: number;
  weightDecay: number;
  /** Steps it took part in. */
  step: number;
  state: Map<string, Tensor>;
}

/** What a row of the kernel is computed from. */
export interface RowInput {
  /** The parameter's step, from 1 on; infinite where the GPU counts them. */
  t: number;
  lr: number;
  weightDecay: number;
}

/**
 * What may change from step to step, for one parameter: the share of it that is added to its
 * gradient (at least 0), and three numbers of the optimizer's own.
 */
export type RowNumbers = readonly [number, number, number, number];

/** A row whose parameter has no gradient. */
const INACTIVE: RowNumbers = [-1, 0, 0, 0];

/**
 * What all optimizers share: the parameters in one buffer, the learning rate, the step counts and
 * the state.
 *
 * Making an optimizer moves the parameters into a buffer of its own (they stay the same tensors),
 * so that a step is one dispatch however many there are; beyond the adapter's binding limit, one
 * for each buffer. `step()` copies the gradients together first and leaves `t.grad` there.
 *
 * Parameters whose `grad` is null are left alone, as are their state and step count.
 *
 * Inside `device.capture` a step reads the learning rate and counts steps anew at every replay.
 * Make the optimizer before capturing anything that uses its parameters.
 */
export abstract class Optimizer {
  /** @internal Where set, nothing is updated while the word is not 0: how training stops at a NaN. */
  guard: Guard | null = null;
  /** @internal Set by the LossScaler that was made for this optimizer. */
  scaler: LossScaler | null = null;
  private readonly runtime: Runtime;
  private readonly members: Member[];
  private readonly groups: Group[];
  private rate = 0;
  private readonly weightDecay: number;

  constructor(
    parameters: Parameters,
    { lr, weightDecay }: { lr: number; weightDecay: number },
    private readonly stateNames: readonly string[],
  ) {
    this.weightDecay = inRange('weightDecay', weightDecay, 0, Infinity);
    this.members = membersOf(parameters, weightDecay);
    this.runtime = this.members[0].tensor.runtime;
    this.lr = inRange('lr', lr, 0, Infinity);
    const shapes = this.members.map(({ tensor }) => tensor.shape);
    this.groups = layOut(this.runtime, shapes).map((layout) => this.makeGroup(layout));
  }

  /** The learning rate; set it at any time, between the replays of a captured step too. */
  get lr(): number {
    return this.rate;
  }

  set lr(value: number) {
    // Schedules fall towards 0: what f32 cannot tell from it is 0.
    const isTiny = typeof value === 'number' && value > 0 && value < 1;
    this.rate = isTiny ? value : inRange('lr', value, 0, Infinity);
  }

  /** What it goes by, defaults filled in, beside the learning rate; weight decay as given for all. */
  get settings(): Readonly<Record<string, number | boolean>> {
    return { weightDecay: this.weightDecay };
  }

  /** Updates every parameter that has a gradient. */
  step(): void {
    this.scaler?.unscale();
    for (const group of this.groups) this.stepGroup(group);
    this.scaler?.update();
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const { tensor } of this.members) tensor.zeroGrad();
    this.scaler?.forget();
  }

  /** @internal The device, and the parameters in the order of the arenas. */
  get parts(): { runtime: Runtime; members: readonly Readonly<Pick<Member, 'name' | 'step'>>[] } {
    const { runtime, members } = this;
    return { runtime, members };
  }

  /** @internal Copies the gradients of each arena together; `first` is its first parameter. */
  gatherGradients(): { gradients: GpuArray; owners: GpuArray; first: number }[] {
    return this.groups
      .filter((group) => this.gather(group).length > 0)
      .map(({ gradients, owners, layout }) => ({
        ...{ gradients: gradients.gpuArray, owners: owners.gpuArray },
        first: layout.slots[0].index,
      }));
  }

  /** Moments and step counts by name: the tensors themselves, not copies. */
  stateDict(): OptimizerState {
    const state: OptimizerState = { tensors: new Map(), scalars: { lr: this.lr } };
    for (const member of this.members) {
      if (!this.scaler) state.scalars[`${member.name}.step`] = member.step;
      for (const [kind, tensor] of member.state)
        state.tensors.set(`${member.name}.${kind}`, tensor);
    }
    if (this.scaler) state.tensors.set('steps', this.scaler.stepCounts);
    return state;
  }

  /**
   * Takes over what `stateDict` gave for the same parameters.
   *
   * Errors: ShapeError naming what is missing, unknown or of another shape; nothing is changed
   * then.
   */
  loadStateDict(state: {
    tensors: ReadonlyMap<string, Tensor | SavedState>;
    scalars: Readonly<Record<string, number>>;
  }): void {
    const own = this.stateDict();
    const problems = differences(own, state);
    if (problems.length > 0) {
      const more = problems.length > 5 ? `; and ${problems.length - 5} more` : '';
      throw new ShapeError(
        `optimizer: loadStateDict: ${problems.slice(0, 5).join('; ')}${more}`,
        'make the optimizer with the options and parameters it was saved with',
      );
    }
    for (const [name, tensor] of own.tensors) {
      const value = state.tensors.get(name)!;
      tensor.assign(value instanceof Tensor ? value : value.data);
    }
    this.lr = state.scalars.lr;
    if (this.scaler) return;
    for (const member of this.members) member.step = state.scalars[`${member.name}.step`];
  }

  /** Gives the state back. The parameters keep their values and their memory. */
  dispose(): void {
    for (const { state } of this.members) for (const tensor of state.values()) tensor.dispose();
    for (const { values, gradients, owners, state } of this.groups) {
      for (const tensor of [values, gradients, owners, ...Object.values(state)]) tensor.dispose();
    }
    this.scaler?.dispose();
  }

  /** β₁ and β₂ whose powers a row's second and third number are corrected by; 0 for none. */
  protected get decays(): readonly [number, number] {
    return [0, 0];
  }

  /** The numbers of a parameter's row at one of its steps, in double precision. */
  protected abstract row(input: RowInput): RowNumbers;

  /** @internal Records the dispatch that updates one arena. */
  protected abstract update(
    runtime: Runtime,
    arrays: OptimizerArrays,
    state: Record<string, Tensor>,
  ): void;

  private makeGroup(layout: ArenaLayout): Group {
    const { runtime } = this;
    const arena = (): Tensor => allocArena(runtime, layout);
    const group: Group = {
      layout,
      values: arena(),
      gradients: arena(),
      owners: ownersOf(runtime, layout),
      state: Object.fromEntries(this.stateNames.map((name) => [name, arena()])),
    };
    runtime.uncaptured(() => {
      const moves = layout.slots.map((slot) => ({ tensor: this.members[slot.index].tensor, slot }));
      moveInto(runtime, group.values.gpuArray, moves);
    });
    for (const slot of layout.slots) {
      for (const name of this.stateNames) {
        const part = partOf(group.state[name].gpuArray, slot);
        const tensor = outsideScopes(() => Tensor.own(runtime, part));
        this.members[slot.index].state.set(name, tensor);
      }
    }
    return group;
  }

  /** Copies the gradients there are into their arena, and says whose they are. */
  private gather({ layout, gradients }: Group): Slot[] {
    const { runtime, members } = this;
    const withGradient = layout.slots.filter(({ index }) => hasGradient(members[index].tensor));
    const moves = withGradient.map((slot) => ({ parameter: members[slot.index].tensor, slot }));
    gatherInto(runtime, gradients.gpuArray, moves);
    return withGradient;
  }

  private stepGroup(group: Group): void {
    const { runtime, members, guard, scaler } = this;
    const { layout, values, gradients, owners, state } = group;
    const withGradient = this.gather(group);
    if (withGradient.length === 0) return;
    const places = withGradient.map((slot) => layout.slots.indexOf(slot));
    const active = withGradient.map((slot) => members[slot.index]);
    const rows = runtime.allocDynamic([layout.slots.length, 4]);
    // Called again at every replay of a captured step, which counts as a step like any other.
    runtime.writeDynamic(rows, () => this.nextRows(layout.slots.length, places, active));
    scaler?.completeRows(rows, layout.slots[0].index, this.decays);
    this.update(
      runtime,
      {
        values: values.gpuArray,
        gradients: gradients.gpuArray,
        owners: owners.gpuArray,
        rows,
        guard,
      },
      state,
    );
    rows.release();
  }

  private nextRows(
    count: number,
    places: readonly number[],
    active: readonly Member[],
  ): Float32Array {
    const rows = new Float32Array(4 * count);
    for (let i = 0; i < count; i++) rows.set(INACTIVE, 4 * i);
    let last: RowInput | null = null;
    let numbers = INACTIVE;
    active.forEach((member, i) => {
      const { weightDecay } = member;
      // Under a loss scale the GPU counts the steps, and corrects what is right for t → ∞.
      const t = this.scaler ? Infinity : ++member.step;
      const lr = this.lr * member.lrScale;
      // Hundreds of parameters have the same row, and some rows take powers.
      if (last?.t !== t || last.lr !== lr || last.weightDecay !== weightDecay) {
        last = { t, lr, weightDecay };
        numbers = this.row(last);
      }
      rows.set(numbers, 4 * places[i]);
    });
    return rows;
  }
}

function* groupsOf(parameters: Parameters): Generator<ParameterGroup> {
  const plain: (Tensor | readonly [string, Tensor])[] = [];
  for (const entry of parameters) {
    if (entry instanceof Tensor || Array.isArray(entry) || !('parameters' in entry)) {
      plain.push(entry as Tensor);
    } else yield entry;
  }
  yield { parameters: plain as Iterable<Tensor> };
}

function membersOf(parameters: Parameters, weightDecay: number): Member[] {
  const members: Member[] = [];
  for (const group of groupsOf(parameters)) addMembers(members, group, weightDecay);
  if (members.length === 0) throw new GradError('optimizer: got no parameters');
  return members;
}

function addMembers(members: Member[], group: ParameterGroup, weightDecay: number): void {
  const own = {
    lrScale: inRange('lrScale', group.lrScale ?? 1, 0, Infinity),
    weightDecay: inRange('weightDecay', group.weightDecay ?? weightDecay, 0, Infinity),
  };
  const seen = new Set(members.map(({ tensor }) => tensor));
  for (const entry of group.parameters) {
    const [name, tensor] =
      entry instanceof Tensor ? [String(members.length), entry] : (entry as [string, Tensor]);
    if (!(tensor instanceof Tensor)) {
      throw new GradError(`optimizer: parameter ${name} must be a tensor, got ${typeof tensor}`);
    }
    if (!tensor.leaf) {
      throw new GradError(
        `optimizer: parameter ${name} [${tensor.shape.join(', ')}] has no requiresGrad`,
        'pass nn parameters, or tensors made with { requiresGrad: true }',
      );
    }
    if (seen.has(tensor)) throw new GradError(`optimizer: parameter ${name} was given twice`);
    if (members.length > 0 && tensor.runtime !== members[0].tensor.runtime) {
      throw new DeviceError(`optimizer: parameter ${name} lives on another device than the first`);
    }
    seen.add(tensor);
    if (!(entry instanceof Tensor)) tensor.handle.name ??= name;
    members.push({ name, tensor, ...own, step: 0, state: new Map() });
  }
}

function differences(
  own: OptimizerState,
  given: {
    tensors: ReadonlyMap<string, Tensor | SavedState>;
    scalars: Readonly<Record<string, number>>;
  },
): string[] {
  const problems: string[] = [];
  for (const [name, { shape }] of own.tensors) {
    const value = given.tensors.get(name);
    if (!value) problems.push(`${name} is missing`);
    else if (value.shape.join() !== shape.join()) {
      const [came, wanted] = [value.shape.join(', '), shape.join(', ')];
      problems.push(`${name} has shape [${came}], expected [${wanted}]`);
    }
  }
  for (const name of given.tensors.keys()) {
    if (!own.tensors.has(name)) problems.push(`${name} is unknown`);
  }
  for (const name in own.scalars) {
    const value: unknown = given.scalars[name];
    if (typeof value !== 'number') problems.push(`number ${name} is missing`);
  }
  return problems;
}

/** The option, once it is a number of f32 in [low, high]. */
export function inRange(name: string, value: unknown, low: number, high: number): number {
  if (typeof value !== 'number') {
    const came = typeof value === 'string' ? JSON.stringify(value) : String(value);
    throw new ShapeError(`optimizer: ${name} must be a number, got ${came} (${typeof value})`);
  }
  if (value >= low && value <= high && isF32(value)) return value;
  let range = high === Infinity ? `at least ${low}` : `in [${low}, ${high}]`;
  if (!Number.isNaN(value) && !isF32(value)) range = `0, or ${F32_RANGE} in size (f32)`;
  throw new ShapeError(`optimizer: ${name} must be ${range}, got ${value}`);
}
