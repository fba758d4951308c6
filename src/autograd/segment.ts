import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import type { ArrayHandle } from './array_handle.js';
import type { GradientSums } from './gradient_sums.js';
import { TapeNode, upcomingSerial, type Leaf } from './node.js';
import { walkBack } from './tape.js';

/**
 * A segment of the program for which the tape keeps only the inputs. When the gradient of its output
 * arrives, the segment runs again, recorded this time, and the gradient flows back through that
 * recording.
 *
 * The nodes of the second run have the segment's own inputs as targets, so gradients meet at the
 * same nodes and are added in the same order as if the first run had been recorded.
 */
export class SegmentNode extends TapeNode {
  constructor(
    targets: Map<string, TapeNode | Leaf>,
    saved: Record<string, GpuArray>,
    output: ArrayHandle,
    origin: string | null,
    /** Runs the segment on the saved values; returns its last node, null if nothing has one. */
    private readonly repeat: (saved: Readonly<Record<string, GpuArray>>) => TapeNode | null,
  ) {
    super('recompute', targets, saved, output, origin);
  }

  propagate(runtime: Runtime, dy: GpuArray, gradients: GradientSums): void {
    const first = upcomingSerial();
    const node = this.repeat(this.saved);
    // The nodes of the second run hold what they still need of it.
    this.consume();
    if (!node) {
      dy.release();
      return;
    }
    gradients.start(node, dy);
    walkBack(runtime, node, gradients, first);
  }
}
