import { ShapeError } from '../errors.js';
import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import type { Guard, OptimizerArrays } from '../kernels/optimizer.js';
import { outsideScopes, Tensor } from '../tensor.js';
import {
  allocFlat,
  gatherInto,
  hasGradient,
  layOut,
  moveInto,
  ownersOf,
  viewOf,
  type FlatLayout,
  type FlatRange,
} from './flat_buffer.js';
import { inRange } from './in_range.js';
import type { LossScaler } from './loss_scaler.js';
import { membersOf, type Member, type Parameters } from './parameters.js';
import { nextRows, type ActiveMember, type RowInput, type RowNumbers } from './rows.js';
import { differences, type LoadableState, type OptimizerState } from './state_dict.js';

/** One flat buffer of parameters, with those of their gradients and state. */
interface Group {
  layout: FlatLayout;
  values: Tensor;
  gradients: Tensor;
  owners: Tensor;
  state: Record<string, Tensor>;
}

/**
 * Base of all optimizers: keeps the parameters in one buffer, the learning rate, the step counts and
 * the state.
 *
 * Creating an optimizer moves the parameters into its own buffer (they stay the same tensors), so that
 * a step is one dispatch, however many there are; beyond the adapter's binding limit, one per buffer.
 * `step()` first copies the gradients into one buffer, where `t.grad` stays.
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
    // Schedules fall towards 0: a rate that f32 cannot represent is 0.
    const isTiny = typeof value === 'number' && value > 0 && value < 1;
    this.rate = isTiny ? value : inRange('lr', value, 0, Infinity);
  }

  /** The options with defaults filled in, except the learning rate; the weight decay is the common one. */
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

  /** @internal The device, and the parameters in the order of the flat buffers. */
  get parts(): { runtime: Runtime; members: readonly Readonly<Pick<Member, 'name' | 'step'>>[] } {
    const { runtime, members } = this;
    return { runtime, members };
  }

  /** @internal Whether it trains the tensor. */
  trains(tensor: Tensor): boolean {
    return this.members.some((member) => member.tensor === tensor);
  }

  /** @internal Copies the gradients into each flat buffer; `first` is its first parameter. */
  gatherGradients(): { gradients: GpuArray; owners: GpuArray; first: number }[] {
    return this.groups
      .filter((group) => this.gather(group).length > 0)
      .map(({ gradients, owners, layout }) => ({
        ...{ gradients: gradients.gpuArray, owners: owners.gpuArray },
        first: layout.ranges[0].index,
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
  loadStateDict(state: LoadableState): void {
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

  /** Releases the state. The parameters keep their values and memory. */
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

  /** @internal Records the dispatch that updates one flat buffer. */
  protected abstract update(
    runtime: Runtime,
    arrays: OptimizerArrays,
    state: Record<string, Tensor>,
  ): void;

  private makeGroup(layout: FlatLayout): Group {
    const { runtime } = this;
    const zeros = (): Tensor => allocFlat(runtime, layout);
    const group: Group = {
      layout,
      values: zeros(),
      gradients: zeros(),
      owners: ownersOf(runtime, layout),
      state: Object.fromEntries(this.stateNames.map((name) => [name, zeros()])),
    };
    runtime.uncaptured(() => {
      const moves = layout.ranges.map((range) => ({
        tensor: this.members[range.index].tensor,
        range,
      }));
      moveInto(runtime, group.values.gpuArray, moves);
    });
    for (const range of layout.ranges) {
      for (const name of this.stateNames) {
        const part = viewOf(group.state[name].gpuArray, range);
        const tensor = outsideScopes(() => Tensor.own(runtime, part));
        this.members[range.index].state.set(name, tensor);
      }
    }
    return group;
  }

  /** Copies the gradients there are into their flat buffer, and returns whose they are. */
  private gather({ layout, gradients }: Group): FlatRange[] {
    const { runtime, members } = this;
    const withGradient = layout.ranges.filter(({ index }) => hasGradient(members[index].tensor));
    const moves = withGradient.map((range) => ({ parameter: members[range.index].tensor, range }));
    gatherInto(runtime, gradients.gpuArray, moves);
    return withGradient;
  }

  private stepGroup(group: Group): void {
    const { runtime, members, guard, scaler } = this;
    const { layout, values, gradients, owners, state } = group;
    const withGradient = this.gather(group);
    if (withGradient.length === 0) return;
    const active = withGradient.map((range) => ({
      member: members[range.index],
      index: layout.ranges.indexOf(range),
    }));
    const rows = runtime.allocDynamic([layout.ranges.length, 4]);
    // Called again at every replay of a captured step, which counts as a step like any other.
    runtime.writeDynamic(rows, () => this.nextRows(layout.ranges.length, active));
    scaler?.completeRows(rows, layout.ranges[0].index, this.decays);
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

  private nextRows(count: number, active: readonly ActiveMember[]): Float32Array {
    // With a loss scale the GPU counts the steps and corrects rows computed for t → ∞.
    const nextStep = (member: Member): number => (this.scaler ? Infinity : ++member.step);
    return nextRows(count, active, this.lr, nextStep, (input) => this.row(input));
  }
}
