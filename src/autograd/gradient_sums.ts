import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { accumulate, addArrays } from '../kernels/lib/accumulate.js';
import { TapeNode, type Leaf } from './node.js';

/**
 * Gradients during a backward pass: for each node not yet reached, the sum of the gradients that its
 * users have sent so far.
 */
export class GradientSums {
  private readonly sums = new Map<TapeNode, GpuArray>();

  constructor(private readonly runtime: Runtime) {}

  /** Sets the gradient of the node that backward starts from; takes ownership. */
  start(node: TapeNode, gradient: GpuArray): void {
    this.sums.set(node, gradient);
  }

  /** The finished sum of a node, which the caller owns; undefined if nothing was sent. */
  take(node: TapeNode): GpuArray | undefined {
    const sum = this.sums.get(node);
    this.sums.delete(node);
    return sum;
  }

  /**
   * Adds `dx` to the sum of `target` and takes ownership; `hasSum` means that `dx` already includes
   * that sum.
   */
  send(target: TapeNode | Leaf, dx: GpuArray, hasSum: boolean): void {
    if (!(target instanceof TapeNode)) {
      target.accumulateGrad(this.runtime, dx);
      return;
    }
    const sum = this.sums.get(target);
    if (sum && hasSum) sum.release();
    this.sums.set(target, sum && !hasSum ? this.add(sum, dx) : dx);
  }

  /**
   * For each input of `names`, the sum so far at its target. A kernel that adds it in its own pass
   * saves a pass over both arrays.
   */
  addends(
    names: readonly string[],
    targets: ReadonlyMap<string, TapeNode | Leaf>,
  ): Record<string, GpuArray> {
    const addends: Record<string, GpuArray> = {};
    for (const name of names) {
      const target = targets.get(name);
      if (!(target instanceof TapeNode)) continue;
      // A value that the op took twice gets two gradients, of which only one may contain the sum.
      const uses = [...targets.values()].filter((other) => other === target).length;
      const sum = this.sums.get(target);
      if (sum && uses === 1) addends[name] = sum;
    }
    return addends;
  }

  /** a + b, in place where nothing else uses `a`; takes both. */
  private add(a: GpuArray, b: GpuArray): GpuArray {
    const isOwned = !a.storage.isShared;
    const sum = isOwned ? a : addArrays(this.runtime, a, b);
    if (isOwned) accumulate(this.runtime, a, b);
    else a.release();
    b.release();
    return sum;
  }
}
