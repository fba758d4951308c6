import { ShapeError } from '../errors.js';
import type { Runtime } from '../gpu/runtime.js';
import { sgdStep, type OptimizerArrays } from '../kernels/optimizer.js';
import type { Tensor } from '../tensor.js';
import { inRange } from './in_range.js';
import { Optimizer } from './optimizer.js';
import type { Parameters } from './parameters.js';
import type { RowInput, RowNumbers } from './rows.js';

export interface SGDOptions {
  /** Learning rate. Default 0.01. */
  lr?: number;
  /** Share of the last update that is kept, in [0, 1]. Default 0. */
  momentum?: number;
  /** Looks ahead along the velocity (Sutskever et al., ICML 2013). Needs momentum. */
  nesterov?: boolean;
  /** L2 penalty: weightDecay · p is added to the gradient. Default 0. */
  weightDecay?: number;
}

/**
 * Stochastic gradient descent, with momentum on request.
 *
 *     g ← g + weightDecay · p;   v ← momentum · v + g;   p ← p − lr · v
 *
 * With `nesterov` p ← p − lr · (g + momentum · v). State: `velocity`, where momentum is not 0.
 *
 * **Errors** ShapeError if an option is out of range, GradError if a parameter has no
 * requiresGrad or occurs twice. **Source** Sutskever et al., ICML 2013, with PyTorch's form of v.
 *
 * @example
 * const w = device.tensor([1, 2], [2], { requiresGrad: true });
 * const optimizer = new optim.SGD([w], { lr: 0.5 });
 * w.backward(device.tensor([1, -1]));
 * optimizer.step();
 * await w.data(); // [0.5, 2.5]
 */
export class SGD extends Optimizer {
  private readonly momentum: number;
  private readonly nesterov: boolean;

  constructor(parameters: Parameters, options: SGDOptions = {}) {
    const { lr = 0.01, momentum = 0, nesterov = false, weightDecay = 0 } = options;
    inRange('momentum', momentum, 0, 1);
    if (nesterov && momentum === 0) {
      throw new ShapeError('optimizer: nesterov needs a momentum above 0, got momentum=0');
    }
    super(parameters, { lr, weightDecay }, momentum > 0 ? ['velocity'] : []);
    this.momentum = momentum;
    this.nesterov = nesterov;
  }

  override get settings(): Readonly<Record<string, number | boolean>> {
    const { momentum, nesterov } = this;
    return { momentum, nesterov, ...super.settings };
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
    const { momentum, nesterov } = this;
    const velocity = state.velocity?.gpuArray;
    sgdStep(runtime, arrays, velocity, { momentum, nesterov });
  }
}
