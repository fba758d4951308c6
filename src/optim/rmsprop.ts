import type { Runtime } from '../gpu/runtime.js';
import { rmspropStep, type OptimizerArrays } from '../kernels/optimizer.js';
import type { Tensor } from '../tensor.js';
import { inRange } from './in_range.js';
import { Optimizer } from './optimizer.js';
import type { Parameters } from './parameters.js';
import type { RowInput, RowNumbers } from './rows.js';

export interface RMSpropOptions {
  /** Learning rate. Default 0.01. */
  lr?: number;
  /** Decay of the mean of squared gradients, in [0, 1). Default 0.99. */
  alpha?: number;
  /** Added to the root in the denominator. Default 1e-8. */
  epsilon?: number;
  /** Share of the last update that is kept, in [0, 1]. Default 0. */
  momentum?: number;
  /** L2 penalty: weightDecay · p is added to the gradient. Default 0. */
  weightDecay?: number;
}

/**
 * RMSprop: gradients divided by a running root mean square of themselves.
 *
 *     g ← g + weightDecay · p;   v ← α·v + (1 − α)·g²
 *     b ← momentum · b + g / (√v + ε);   p ← p − lr · b
 *
 * State: `square`, and `velocity` where momentum is not 0.
 *
 * **Errors** ShapeError if an option is out of range, GradError if a parameter has no
 * requiresGrad or occurs twice. **Source** Tieleman & Hinton, lecture 6.5 of "Neural networks for
 * machine learning", 2012; momentum as in PyTorch.
 *
 * @example
 * const w = device.tensor([1, 2], [2], { requiresGrad: true });
 * const optimizer = new optim.RMSprop([w], { lr: 0.5, alpha: 0.75 });
 * w.backward(device.tensor([4, -4]));
 * optimizer.step();
 * await w.data(); // [0, 3]
 */
export class RMSprop extends Optimizer {
  private readonly rule: Required<Omit<RMSpropOptions, 'lr' | 'weightDecay'>>;

  constructor(parameters: Parameters, options: RMSpropOptions = {}) {
    const { lr = 0.01, alpha = 0.99, epsilon = 1e-8, momentum = 0, weightDecay = 0 } = options;
    inRange('alpha', alpha, 0, 1 - 2 ** -24);
    inRange('epsilon', epsilon, 0, Infinity);
    inRange('momentum', momentum, 0, 1);
    super(parameters, { lr, weightDecay }, momentum > 0 ? ['square', 'velocity'] : ['square']);
    this.rule = { alpha, epsilon, momentum };
  }

  override get settings(): Readonly<Record<string, number | boolean>> {
    return { ...this.rule, ...super.settings };
  }

  protected override row({ lr, weightDecay }: RowInput): RowNumbers {
    return [weightDecay, lr, 0, 0];
  }

  /** @internal */
  protected override update(
    runtime: Runtime,
    arrays: OptimizerArrays,
    state: Record<string, Tensor | undefined>,
  ): void {
    const square = state.square!.gpuArray;
    rmspropStep(runtime, arrays, { square, velocity: state.velocity?.gpuArray }, this.rule);
  }
}
