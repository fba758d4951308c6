import type { GpuArray } from '../gpu/array.js';
import { GradError } from '../gpu/errors.js';
import type { Runtime } from '../gpu/runtime.js';
import { accumulate, addArrays } from '../kernels/accumulate.js';
import { ArrayHandle } from './array_handle.js';
import type { InputArrays, InputMetas, OpRecord, Plan } from './record.js';
import { currentOrigin, isRecording, showOp } from './recording.js';

/*
 * Reverse-mode differentiation. `apply` runs an op and, where a gradient may be wanted, leaves a
 * node on the tape; `runBackward` walks the nodes from the last to the first, sums gradients where
 * values fan out, and gives every activation back to the pool as soon as it is used up.
 */

/** Where a gradient ends: a parameter, or an input with requiresGrad. */
export interface Leaf {
  /** Takes ownership of `gradient`. */
  accumulateGrad(runtime: Runtime, gradient: GpuArray): void;
}

/** What `apply` needs to know of a tensor. */
export interface Variable {
  readonly handle: ArrayHandle;
  readonly node: TapeNode | null;
  readonly leaf: Leaf | null;
}

let nextSerial = 1;

export class TapeNode {
  readonly serial = nextSerial++;
  isConsumed = false;

  constructor(
    readonly record: OpRecord,
    readonly options: unknown,
    readonly plan: Plan,
    readonly metas: InputMetas,
    /** Where each needed gradient goes, by input name. */
    readonly targets: Map<string, TapeNode | Leaf>,
    readonly saved: Record<string, GpuArray>,
    readonly output: ArrayHandle,
    /** The innermost module whose forward ran the op, for error texts. */
    readonly origin: string | null,
  ) {}
}

/** Gives back what unreachable nodes saved: graphs that were built and never run backward. */
const abandoned = new FinalizationRegistry<Record<string, GpuArray>>(releaseAll);

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
    if (target && isRecording()) targets.set(name, target);
  }
  const plan = record.shape(metas, options);
  const keepsExtras = targets.size > 0;
  const { y, extras = {} } = record.forward({ runtime, inputs, options, plan, keepsExtras });
  const handle = new ArrayHandle(y);
  const origin = currentOrigin();
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
  const node = new TapeNode(record, options, plan, metas, targets, saved, handle, origin);
  abandoned.register(node, saved, saved);
  return { handle, node };
}

/**
 * Sends `gradient` (owned by this call) back from `root` to every leaf that it depends on.
 * Activations are released on the way; the root's own output stays.
 */
export function runBackward(runtime: Runtime, root: TapeNode, gradient: GpuArray): void {
  const order = reachable(root);
  const gradients = new Map<TapeNode, GpuArray>([[root, gradient]]);
  for (const node of order) {
    const dy = gradients.get(node);
    gradients.delete(node);
    if (dy) propagate(runtime, node, dy, gradients);
    abandoned.unregister(node.saved);
    releaseAll(node.saved);
    node.isConsumed = true;
    if (node !== root) node.output.release('backward()');
  }
}

function propagate(
  runtime: Runtime,
  node: TapeNode,
  dy: GpuArray,
  gradients: Map<TapeNode, GpuArray>,
): void {
  const { record, saved, options, plan, metas } = node;
  const needs: Record<string, boolean> = {};
  for (const name in record.inputs) needs[name] = node.targets.has(name);
  for (const name of node.targets.keys()) needs[name] = true;
  const results = record.backward({ runtime, dy, saved, inputs: metas, options, plan, needs });
  dy.release();
  for (const [name, target] of node.targets) {
    const dx = results[name];
    if (!dx) continue;
    if (!(target instanceof TapeNode)) {
      target.accumulateGrad(runtime, dx);
      continue;
    }
    const sum = gradients.get(target);
    gradients.set(target, sum ? addOwned(runtime, sum, dx) : dx);
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

/** Every node the root depends on, last made first: a reverse topological order. */
function reachable(root: TapeNode): TapeNode[] {
  const seen = new Set<TapeNode>([root]);
  const stack = [root];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (node.isConsumed) {
      throw new GradError(
        `backward: ${node.record.name} was run backward before and its saved values are released`,
        'run the forward pass again; sum losses before one backward()',
      );
    }
    for (const target of node.targets.values()) {
      if (target instanceof TapeNode && !seen.has(target)) {
        seen.add(target);
        stack.push(target);
      }
    }
  }
  return [...seen].sort((a, b) => b.serial - a.serial);
}
