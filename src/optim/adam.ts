import type { Runtime } from '../gpu/runtime.js';
import { adamStep, type AdamRule, type OptimizerArrays } from '../kernels/optimizer.js';
import type { Tensor } from '../tensor.js';
import { inRange } from './in_range.js';
import { Optimizer } from './optimizer.js';
import type { Parameters } from './parameters.js';
import type { RowInput, RowNumbers } from './rows.js';

export interface AdamOptions {
  /** Learning rate. Default 0.001. */
  lr?: number;
  /** Decay of the mean of gradients, in [0, 1). Default 0.9. */
  beta1?: number;
  /** Decay of the mean of squared gradients, in [0, 1). Default 0.999. */
  beta2?: number;
  /** Added to the root in the denominator. Default 1e-8. */
  epsilon?: number;
  /** Adam: L2 penalty, default 0. AdamW: share of lr by which parameters shrink, default 0.01. */
  weightDecay?: number;
  /** Divides by the largest mean of squares seen so far (arXiv:1904.09237). Default false. */
  amsgrad?: boolean;
}

/**
 * Adam: steps of about `lr` in each coordinate, whatever the size of its gradient.
 *
 *     g ← g + weightDecay · p
 *     m ← β₁·m + (1 − β₁)·g;   v ← β₂·v + (1 − β₂)·g²;   v̂ = v, with amsgrad the largest v so far
 *     p ← p − lr / (1 − β₁ᵗ) · m / (√v̂ / √(1 − β₂ᵗ) + ε)
 *
 * t counts the steps of each parameter. State: `moment`, `square`, with amsgrad `largest`.
 *
 * **Errors** ShapeError if an option is out of range, GradError if a parameter has no
 * requiresGrad or occurs twice. **Source** Kingma & Ba, arXiv:1412.6980, algorithm 1.
 *
 * @example
 * const w = device.tensor([1, 2], [2], { requiresGrad: true });
 * const optimizer = new optim.Adam([w], { lr: 0.5 });
 * w.backward(device.tensor([4, -4]));
 * optimizer.step();
 * await w.data(); // [0.5, 2.5]
 */
export class Adam extends Optimizer {
  private readonly options: AdamRule;
  private readonly amsgrad: boolean;

  constructor(parameters: Parameters, options: AdamOptions = {}) {
    const { lr = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
    const { weightDecay = 0, amsgrad = false } = options;
    inRange('beta1', beta1, 0, 1 - 2 ** -24);
    inRange('beta2', beta2, 0, 1 - 2 ** -24);
    inRange('epsilon', epsilon, 0, Infinity);
    const stateNames = amsgrad ? ['moment', 'square', 'largest'] : ['moment', 'square'];
    super(parameters, { lr, weightDecay }, stateNames);
    this.options = { beta1, beta2, epsilon };
    this.amsgrad = amsgrad;
  }

  override get settings(): Readonly<Record<string, number | boolean>> {
    return { ...this.options, amsgrad: this.amsgrad, ...super.settings };
  }

  protected override row(input: RowInput): RowNumbers {
    const { beta1, beta2 } = this.options;
    const { t, lr } = input;
    const { penalty, shrink } = this.decay(input);
    return [penalty, lr / (1 - beta1 ** t), 1 / Math.sqrt(1 - beta2 ** t), shrink];
  }

  /** @internal */
  protected override update(
    runtime: Runtime,
    arrays: OptimizerArrays,
    state: Record<string, Tensor | undefined>,
  ): void {
    const moment = state.moment!.gpuArray;
    const square = state.square!.gpuArray;
    adamStep(runtime, arrays, { moment, square, largest: state.largest?.gpuArray }, this.options);
  }

  protected override get decays(): readonly [number, number] {
    return [this.options.beta1, this.options.beta2];
  }

  /** Share of the parameters that is added to their gradients, and their factor before the step. */
  protected decay({ weightDecay }: RowInput): { penalty: number; shrink: number } {
    return { penalty: weightDecay, shrink: 1 };
  }
}

/**
 * Adam with decoupled weight decay: parameters shrink by themselves instead of through the
 * gradient, so that the decay is not divided by √v.
 *
 *     p ← p · (1 − lr · weightDecay), then Adam's step on the bare gradient
 *
 * Options and errors as Adam; weightDecay is 0.01 by default.
 * **Source** Loshchilov & Hutter, arXiv:1711.05101, algorithm 2.
 */
export class AdamW extends Adam {
  constructor(parameters: Parameters, options: AdamOptions = {}) {
    super(parameters, { ...options, weightDecay: options.weightDecay ?? 0.01 });
  }

  protected override decay({ lr, weightDecay }: RowInput): { penalty: number; shrink: number } {
    return { penalty: 0, shrink: 1 - lr * weightDecay };
  }
}
