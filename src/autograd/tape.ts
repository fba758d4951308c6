import type { GpuArray } from '../gpu/array.js';
import { GradError } from '../gpu/errors.js';
import type { Runtime } from '../gpu/runtime.js';
import { accumulate, addArrays } from '../kernels/accumulate.js';
import { fillArray } from '../kernels/fill.js';
import { ArrayHandle } from './array_handle.js';
import { ZERO, type InputArrays, type InputMetas, type OpRecord, type Plan } from './record.js';
import { currentOrigin, currentSegment, isRecording, isRepeated, showOp } from './recording.js';

/*
 * Reverse-mode differentiation. `apply` runs an op and, where a gradient may be wanted, leaves a
 * node on the tape; `runBackward` walks the nodes from the last to the first, sums gradients where
 * values fan out, and gives every activation back to the pool as soon as it is used up. Besides
 * ops' nodes there are those of segments that are run again (segment.ts).
 */

/** Where a gradient ends: a parameter, or an input with requiresGrad. */
export interface Leaf {
  /** Takes ownership of `gradient`. */
  accumulateGrad(runtime: Runtime, gradient: GpuArray): void;
  /** Takes note of a gradient that is zero. */
  addZeroGrad(): void;
}

/** What `apply` needs to know of a tensor. */
export interface Variable {
  readonly handle: ArrayHandle;
  readonly node: TapeNode | null;
  readonly leaf: Leaf | null;
}

let nextSerial = 1;

/** The serial that the next node will have. */
export function serialToCome(): number {
  return nextSerial;
}

/** Gives back what unreachable nodes saved: graphs that were built and never run backward. */
const abandoned = new FinalizationRegistry<Record<string, GpuArray>>(releaseAll);

export abstract class TapeNode {
  readonly serial = nextSerial++;
  isConsumed = false;
  /** Whether what was sent here so far sums to zero over all axes but the last. */
  isBalanced = false;

  constructor(
    /** Of the op, for error texts. */
    readonly name: string,
    /** Where each needed gradient goes, by input name. */
    readonly targets: Map<string, TapeNode | Leaf>,
    readonly saved: Record<string, GpuArray>,
    readonly output: ArrayHandle,
    /** The innermost module whose forward ran the op, for error texts. */
    readonly origin: string | null,
  ) {
    abandoned.register(this, saved, saved);
  }

  /** Sends the gradient of the output, which it takes, on to leaves and into `gradients`. */
  abstract propagate(runtime: Runtime, dy: GpuArray, gradients: Map<TapeNode, GpuArray>): void;

  /** Gives back what was saved. */
  consume(): void {
    abandoned.unregister(this.saved);
    releaseAll(this.saved);
    this.isConsumed = true;
  }
}

class OpNode extends TapeNode {
  constructor(
    private readonly call: { record: OpRecord; options: unknown; plan: Plan; metas: InputMetas },
    targets: Map<string, TapeNode | Leaf>,
    saved: Record<string, GpuArray>,
    output: ArrayHandle,
    origin: string | null,
  ) {
    super(call.record.name, targets, saved, output, origin);
  }

  propagate(runtime: Runtime, dy: GpuArray, gradients: Map<TapeNode, GpuArray>): void {
    const { saved, targets } = this;
    const { record, options, plan, metas: inputs } = this.call;
    const needs: Record<string, boolean> = {};
    for (const name in record.inputs) needs[name] = targets.has(name);
    for (const name of targets.keys()) needs[name] = true;
    const addends = runtime.fusesOps ? this.addends(gradients) : {};
    const { isBalanced } = this;
    const call = { runtime, dy, saved, inputs, options, plan, needs, addends, isBalanced };
    const results = record.backward(call);
    dy.release();
    const balanced = record.balances?.(plan) ?? [];
    for (const [name, target] of targets) {
      const dx = results[name];
      if (!dx) continue;
      if (!(target instanceof TapeNode)) {
        if (dx === ZERO) target.addZeroGrad();
        else target.accumulateGrad(runtime, dx);
        continue;
      }
      const sum = gradients.get(target);
      if (dx === ZERO) {
        if (!sum) gradients.set(target, fillArray(runtime, inputs[name]!.shape, 'f32', 0));
        continue;
      }
      target.isBalanced = balanced.includes(name) && (!sum || target.isBalanced);
      if (sum && name in addends) sum.release();
      gradients.set(target, sum && !(name in addends) ? addOwned(runtime, sum, dx) : dx);
    }
  }

  /** What has been sent already where this op's own gradient goes, if it can be added in its kernel. */
  private addends(gradients: ReadonlyMap<TapeNode, GpuArray>): Record<string, GpuArray> {
    const addends: Record<string, GpuArray> = {};
    for (const name of this.call.record.addsTo ?? []) {
      const target = this.targets.get(name);
      if (!(target instanceof TapeNode)) continue;
      const targets = [...this.targets.values()];
      // A value that the op took twice gets two gradients, of which only one may contain the sum.
      const isTakenOnce = targets.filter((other) => other === target).length === 1;
      const sum = gradients.get(target);
      if (sum && isTakenOnce) addends[name] = sum;
    }
    return addends;
  }
}

function releaseAll(saved: Record<string, GpuArray>): void {
  for (const name in saved) {
    saved[name].release();
    delete saved[name];
  }
}

/** Runs one op on the GPU; returns its output and, where a gradient may be wanted, its node. */
export function apply(
  runtime: Runtime,
  record: OpRecord,
  variables: Record<string, Variable | undefined>,
  options: unknown,
): { handle: ArrayHandle; node: TapeNode | null } {
  const inputs: InputArrays = {};
  const metas: InputMetas = {};
  const values: Record<string, object> = {};
  const targets = new Map<string, TapeNode | Leaf>();
  for (const name in variables) {
    const variable = variables[name];
    if (!variable) continue;
    const array = variable.handle.array;
    inputs[name] = array;
    values[name] = variable.handle;
    metas[name] = { shape: array.shape, dtype: array.dtype };
    const target = variable.node ?? variable.leaf;
    if (!target) continue;
    if (isRecording()) targets.set(name, target);
    else noteTarget(record, name, target);
  }
  const plan = record.shape(metas, options);
  const keepsExtras = targets.size > 0;
  const origin = currentOrigin();
  const mark = { phase: 'forward', module: origin, op: record.name } as const;
  const { y, extras = {} } = runtime.marked(mark, () =>
    record.forward({ runtime, inputs, options, plan, keepsExtras, isRepeated: isRepeated() }),
  );
  const handle = new ArrayHandle(y);
  showOp(record, plan, metas, options, origin, { inputs: values, output: handle });
  if (!keepsExtras) {
    releaseAll(extras);
    return { handle, node: null };
  }
  const saved: Record<string, GpuArray> = {};
  for (const name in record.saves) {
    if (!record.saves[name].some((input) => targets.has(input))) continue;
    const array = extras[name] ?? (name === 'y' ? y : inputs[name]);
    if (array) saved[name] = array.retain();
  }
  releaseAll(extras);
  const node = new OpNode({ record, options, plan, metas }, targets, saved, handle, origin);
  return { handle, node };
}

/** Tells a segment that its op may want a gradient, and makes sure that backward will find it. */
function noteTarget(record: OpRecord, name: string, target: TapeNode | Leaf): void {
  const segment = currentSegment();
  if (!segment) return;
  segment.wantsGrad = true;
  if (target instanceof TapeNode && !segment.nodes.has(target)) {
    throw new GradError(
      `recompute: ${record.name} takes as ${name} the result of ${target.name}, which is no input of the segment`,
      'pass it to recompute as an input',
    );
  }
}

/**
 * Sends `gradient` (owned by this call) back from `root` to every leaf that it depends on.
 * Activations are released on the way; the root's own output stays.
 */
export function runBackward(runtime: Runtime, root: TapeNode, gradient: GpuArray): void {
  walkBack(runtime, root, new Map([[root, gradient]]), 0);
}

/**
 * Runs the nodes on the way back from `root`, whose gradient is among `gradients`; those with a
 * serial below `first` are left to the walk that this one is part of.
 */
export function walkBack(
  runtime: Runtime,
  root: TapeNode,
  gradients: Map<TapeNode, GpuArray>,
  first: number,
): void {
  for (const node of reachable(root, first)) {
    const dy = gradients.get(node);
    gradients.delete(node);
    // What its own backward wants of the output it has saved: the rest can be used again at once.
    if (node !== root) node.output.release('backward()');
    if (dy) {
      const mark = { phase: 'backward', module: node.origin, op: node.name } as const;
      runtime.marked(mark, () => node.propagate(runtime, dy, gradients));
    }
    node.consume();
  }
}

/** a + b, in place where `a` belongs to nobody else; takes both. */
function addOwned(runtime: Runtime, a: GpuArray, b: GpuArray): GpuArray {
  if (!a.storage.isShared) {
    accumulate(runtime, a, b);
    b.release();
    return a;
  }
  const sum = addArrays(runtime, a, b);
  a.release();
  b.release();
  return sum;
}

/** Every node from `first` on that the root depends on, last made first: reverse topological. */
function reachable(root: TapeNode, first: number): TapeNode[] {
  const seen = new Set<TapeNode>([root]);
  const stack = [root];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (node.isConsumed) {
      throw new GradError(
        `backward: ${node.name} was run backward before and its saved values are released`,
        'run the forward pass again; sum losses before one backward()',
      );
    }
    for (const target of node.targets.values()) {
      if (target instanceof TapeNode && target.serial >= first && !seen.has(target)) {
        seen.add(target);
        stack.push(target);
      }
    }
  }
  return [...seen].sort((a, b) => b.serial - a.serial);
}
