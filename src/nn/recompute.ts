import { ArrayHandle } from '../autograd/array_handle.js';
import { TapeNode, type Leaf } from '../autograd/node.js';
import {
  asSegment,
  currentOrigin,
  isRecording,
  runAgain,
  withOrigin,
} from '../autograd/recording.js';
import { SegmentNode } from '../autograd/segment.js';
import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { keepDraws, repeatDraws } from '../kernels/random.js';
import { operandTypeNow, withOperands, type OperandType } from '../ops/mixed_precision.js';
import { runInScope, Tensor } from '../tensor.js';

type SegmentFunction = (...inputs: Tensor[]) => Tensor;
type Target = TapeNode | Leaf | null;

/**
 * Runs fn(…inputs) and saves only the inputs; backward runs `fn` again when it needs the values inside
 * (gradient checkpointing). A network cut into such segments holds the segments' inputs and the
 * activations of one segment at a time, at the cost of one more forward pass.
 *
 * Gradients are equal to those of a plain fn(…inputs), bit for bit: random ops repeat their draws, and
 * batch norms update their running statistics once. Outside recording, `fn` simply runs.
 *
 * `fn` is synchronous and must do the same both times: mode and rates of its layers must not change
 * between forward and backward. Parameters need not be among the inputs; a result of other recorded
 * ops must be.
 *
 * **Cost** one more forward pass of `fn`. **Saves** the inputs, and 16 bytes for each random op.
 * **Errors** GradError if `fn` takes a recorded result that is not among the inputs, or draws
 * more random numbers the second time.
 * **Source** Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv:1604.06174, section 3.
 *
 * @example
 * const w = device.tensor([[2], [1]], [2, 1], { requiresGrad: true });
 * recompute((x) => x.matmul(w).square(), device.tensor([[1, 3]])).backward();
 * await w.grad.array(); // [[10], [30]]: twice (1·2 + 3·1) times x
 */
export function recompute(fn: SegmentFunction, ...inputs: Tensor[]): Tensor {
  if (!isRecording()) return runInScope(() => fn(...inputs));
  const targets = inputs.map(({ node, leaf }): Target => node ?? leaf);
  const draws: GpuArray[] = [];
  const { y, array, wantsGrad } = firstRun(fn, inputs, draws);
  const { runtime } = y;
  if (!y.isDisposed || !wantsGrad) {
    for (const draw of draws) draw.release();
    if (y.isDisposed) return Tensor.own(runtime, array);
    array.release();
    return y;
  }
  const saved: Record<string, GpuArray> = {};
  inputs.forEach((input, i) => (saved[`input ${i}`] = input.gpuArray.retain()));
  draws.forEach((draw, i) => (saved[`draw ${i}`] = draw));
  const [origin, operands, drawCount] = [currentOrigin(), operandTypeNow(), draws.length];
  const repeat = (values: Readonly<Record<string, GpuArray>>): TapeNode | null => {
    const past = Array.from({ length: drawCount }, (_, i) => values[`draw ${i}`]);
    return secondRun(past, operands, () => {
      const again = targets.map((target, i) => new StandIn(runtime, values[`input ${i}`], target));
      return origin === null ? fn(...again) : withOrigin(origin, () => fn(...again));
    });
  };
  const handle = new ArrayHandle(array);
  const ends = targets.flatMap((target, i) => (target ? [[`input ${i}`, target] as const] : []));
  const node = new SegmentNode(new Map(ends), saved, handle, origin, repeat);
  return new Tensor(runtime, handle, node, false);
}

/** Runs `fn` unrecorded in a scope; returns its result and a reference to the result's array. */
function firstRun(
  fn: SegmentFunction,
  inputs: Tensor[],
  draws: GpuArray[],
): { y: Tensor; array: GpuArray; wantsGrad: boolean } {
  const nodes = new Set(inputs.flatMap(({ node }) => (node ? [node] : [])));
  const segment = { nodes, wantsGrad: false };
  let result: { y: Tensor; array: GpuArray } | null = null;
  const run = (): void => {
    const y = fn(...inputs);
    result = { y, array: y.gpuArray.retain() };
  };
  try {
    keepDraws(draws, () => asSegment(segment, () => runInScope(run)));
  } catch (error) {
    for (const draw of draws) draw.release();
    throw error;
  }
  return { ...result!, wantsGrad: segment.wantsGrad };
}

/** The node of the result, recorded. No tensor is kept: the nodes hold what backward needs. */
function secondRun(
  draws: readonly GpuArray[],
  operands: OperandType,
  fn: () => Tensor,
): TapeNode | null {
  let node: TapeNode | null = null;
  const run = (): void => {
    node = fn().node;
  };
  runAgain(() => repeatDraws(draws, () => withOperands(operands, () => runInScope(run))));
  return node;
}

/** An input of the second run: the value of the first run, and where its gradient goes. */
class StandIn extends Tensor {
  constructor(
    runtime: Runtime,
    value: GpuArray,
    private readonly target: Target,
  ) {
    const node = target instanceof TapeNode ? target : null;
    super(runtime, new ArrayHandle(value.retain()), node, target !== null && !node);
  }

  override get leaf(): Leaf | null {
    return this.target && !(this.target instanceof TapeNode) ? this.target : null;
  }
}
