/** Reverse mode over the float64 reference: whole networks, forward and backward, from its ops. */
import type { Reference, RefArray } from '../../src/reference/types.js';

/** A value of the network and, after backward, its gradient. */
export interface Value extends RefArray {
  gradient: Float64Array;
}

interface Step {
  y: Value;
  run: () => void;
}

export function valueOf(shape: readonly number[], data: ArrayLike<number>): Value {
  return { shape, data: Float64Array.from(data), gradient: new Float64Array(data.length) };
}

export class ReferenceTape {
  private readonly steps: Step[] = [];

  /** Runs one op's reference; what it reports beside its result goes to `onExtra`. */
  apply<Options>(
    reference: Reference<Options>,
    inputs: Record<string, Value | undefined>,
    options: Options,
    onExtra: (extra: Record<string, RefArray>) => void = () => {},
  ): Value {
    const { y, extra } = reference.forward(inputs, options);
    if (extra) onExtra(extra);
    const value = valueOf(y.shape, y.data);
    const run = (): void => {
      const dy = { shape: value.shape, data: value.gradient };
      const gradients = reference.backward(inputs, options, dy);
      for (const name in gradients) {
        const { gradient } = inputs[name]!;
        gradients[name].data.forEach((each, i) => (gradient[i] += each));
      }
    };
    return this.record(value, run);
  }

  /** Notes a result that was computed elsewhere; `run` hands its gradient on to what it came from. */
  record(y: Value, run: () => void): Value {
    this.steps.push({ y, run });
    return y;
  }

  /** Adds to the gradient of every value that `loss`, the last result, depends on. */
  backward(loss: Value): void {
    loss.gradient.fill(1);
    for (const { run } of this.steps.toReversed()) run();
  }
}
