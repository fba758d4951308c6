import type { GpuArray } from '../gpu/array.js';
import { GradError } from '../errors.js';
import type { Runtime } from '../gpu/runtime.js';
import { ArrayHandle } from './array_handle.js';
import { GradientSums } from './gradient_sums.js';
import { isPlanning, plannedArray } from './planning.js';
import { releaseAll, TapeNode, type Leaf, type Variable } from './node.js';
import type { InputArrays, InputMetas, OpRecord, Plan } from './record.js';
import { currentOrigin, isRecording, isRepeated, noteTarget, showOp } from './recording.js';
import { readable, savedFor } from './saved.js';

/*
 * Reverse-mode differentiation. `apply` runs an op and, if a gradient may be needed, records a node on
 * the tape. `runBackward` visits the nodes from the last to the first: each turns the gradient of its
 * output into those of its inputs and sends them on.
 */

/** An op that ran, with what its backward reads. */
class OpNode extends TapeNode {
  constructor(
    private readonly call: { record: OpRecord; options: unknown; plan: Plan; metas: InputMetas },
    targets: Map<string, TapeNode | Leaf>,
    saved: Record<string, GpuArray>,
    output: ArrayHandle,
  ) {
    super(call.record.name, targets, saved, output, currentOrigin());
  }

  propagate(runtime: Runtime, dy: GpuArray, gradients: GradientSums): void {
    const { targets } = this;
    const { record, options, plan, metas: inputs } = this.call;
    const needs = Object.fromEntries(
      [...Object.keys(record.inputs), ...targets.keys()].map((name) => [name, targets.has(name)]),
    );
    const saved = readable(record, this.saved);
    const addsTo = runtime.fusesOps ? (record.addsTo ?? []) : [];
    const addends = gradients.addends(addsTo, targets);
    const results = record.backward({ runtime, dy, saved, inputs, options, plan, needs, addends });
    dy.release();
    for (const [name, target] of targets) {
      const dx = results[name];
      if (dx) gradients.send(target, dx, name in addends);
    }
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
    else noteTarget(record.name, name, variable.node);
  }
  const plan = record.shape(metas, options);
  if (isPlanning()) {
    const output = new ArrayHandle(plannedArray(plan.shape, plan.dtype));
    showOp(record, plan, metas, options, currentOrigin(), { inputs: values, output });
    return { handle: output, node: null };
  }
  const keepsExtras = targets.size > 0;
  const origin = currentOrigin();
  const mark = { phase: 'forward', module: origin, op: record.name } as const;
  const { y, extras = {} } = runtime.marked(mark, () =>
    record.forward({ runtime, inputs, options, plan, keepsExtras, isRepeated: isRepeated() }),
  );
  const handle = new ArrayHandle(y);
  showOp(record, plan, metas, options, origin, { inputs: values, output: handle });
  const saved = keepsExtras ? savedFor(record, { ...inputs, y, ...extras }, targets) : {};
  releaseAll(extras);
  if (!keepsExtras) return { handle, node: null };
  return { handle, node: new OpNode({ record, options, plan, metas }, targets, saved, handle) };
}

/**
 * Sends `gradient` (owned by this call) back from `root` to every leaf that it depends on.
 * Activations are released on the way; the root's own output stays.
 */
export function runBackward(runtime: Runtime, root: TapeNode, gradient: GpuArray): void {
  const gradients = new GradientSums(runtime);
  gradients.start(root, gradient);
  walkBack(runtime, root, gradients, 0);
}

/**
 * Visits the nodes that `root` depends on, later ones first. Nodes with a serial below `first` belong
 * to the enclosing walk.
 */
export function walkBack(
  runtime: Runtime,
  root: TapeNode,
  gradients: GradientSums,
  first: number,
): void {
  for (const node of reachable(root, first)) {
    const dy = gradients.take(node);
    // If backward reads the output it was saved, so this reference can go at once.
    if (node !== root) node.output.release('backward()');
    if (dy) {
      const mark = { phase: 'backward', module: node.origin, op: node.name } as const;
      runtime.marked(mark, () => node.propagate(runtime, dy, gradients));
    }
    node.consume();
  }
}

/** The nodes from `first` on that the root depends on, in reverse topological order. */
function reachable(root: TapeNode, first: number): TapeNode[] {
  const seen = new Set<TapeNode>([root]);
  for (const node of seen) {
    if (node.isConsumed) {
      throw new GradError(
        `backward: ${node.name} was run backward before and its saved values are released`,
        'run the forward pass again; sum losses before one backward()',
      );
    }
    for (const target of node.targets.values()) {
      if (target instanceof TapeNode && target.serial >= first) seen.add(target);
    }
  }
  return [...seen].sort((a, b) => b.serial - a.serial);
}
