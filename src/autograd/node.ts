import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import type { ArrayHandle } from './array_handle.js';
import type { GradientSums } from './gradient_sums.js';

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

/** The serial that the next node will have. */
export function upcomingSerial(): number {
  return nextSerial;
}

/** Releases what nodes saved when their graph is collected without a backward pass. */
const abandoned = new FinalizationRegistry<Record<string, GpuArray>>(releaseAll);

/** One recorded step: where its gradients go, and what backward reads. */
export abstract class TapeNode {
  /** Later steps have higher serials, so descending order is reverse topological order. */
  readonly serial = nextSerial++;
  isConsumed = false;

  constructor(
    /** Name of the op, for error messages. */
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

  /** Sends the gradient of the output, which it takes, on to the targets. */
  abstract propagate(runtime: Runtime, dy: GpuArray, gradients: GradientSums): void;

  /** Releases what was saved. */
  consume(): void {
    abandoned.unregister(this.saved);
    releaseAll(this.saved);
    this.isConsumed = true;
  }
}

export function releaseAll(arrays: Record<string, GpuArray>): void {
  for (const name in arrays) {
    arrays[name].release();
    delete arrays[name];
  }
}
