import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import type { ArrayHandle } from './array_handle.js';
import { serialToCome, TapeNode, walkBack, type Leaf } from './tape.js';

/**
 * A stretch of the program of which the tape keeps the inputs alone. When the gradient of its output
 * arrives it is run again, recorded this time, and the gradient goes back through that recording.
 *
 * The nodes of the second run have the segment's own inputs as targets, so gradients meet in the
 * same places and are added in the same order as if the first run had been recorded.
 */
export class SegmentNode extends TapeNode {
  constructor(
    targets: Map<string, TapeNode | Leaf>,
    saved: Record<string, GpuArray>,
    output: ArrayHandle,
    origin: string | null,
    /** Runs the segment on the saved values; returns its last node, null where nothing has one. */
    private readonly repeat: (saved: Readonly<Record<string, GpuArray>>) => TapeNode | null,
  ) {
    super('recompute', targets, saved, output, origin);
  }

  propagate(runtime: Runtime, dy: GpuArray, gradients: Map<TapeNode, GpuArray>): void {
    const first = serialToCome();
    const node = this.repeat(this.saved);
    // What it saved is held by the nodes of the second run now, as long as they want it.
    this.consume();
    if (!node) {
      dy.release();
      return;
    }
    gradients.set(node, dy);
    node.isBalanced = this.isBalanced;
    walkBack(runtime, node, gradients, first);
  }
}
