import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { lossDivisor, reduceLosses, type Reduction } from './loss_reduction.js';

const WORKGROUP = 64;

/** −logProbabilities[n, labels[n]], reduced; [N K] and i32 [N] → [] or [N]. */
export function nllLossForward(
  runtime: Runtime,
  logProbabilities: GpuArray,
  labels: GpuArray,
  reduction: Reduction,
): GpuArray {
  const [n, k] = logProbabilities.shape;
  const losses = runtime.alloc([n]);
  runtime.dispatch({
    shader: 'nll_loss_forward_naive',
    op: 'nllLoss forward',
    bindings: { log_probabilities: logProbabilities, classes: labels, losses },
    params: { N: n, K: k },
    groups: Math.ceil(n / WORKGROUP),
    flops: n,
    bytes: 12 * n,
  });
  return reduceLosses(runtime, losses, reduction);
}

/** dlogProbabilities [N K]; dy [] or [N], labels i32 [N]. */
export function nllLossBackward(
  runtime: Runtime,
  dy: GpuArray,
  labels: GpuArray,
  shape: readonly number[],
  reduction: Reduction,
): GpuArray {
  const [n, k] = shape;
  const gradient = runtime.alloc(shape);
  runtime.dispatch({
    shader: 'nll_loss_backward_naive',
    op: 'nllLoss backward',
    constants: { IS_REDUCED: reduction !== 'none' },
    bindings: { classes: labels, dy, gradient },
    params: { N: n, K: k, divisor: lossDivisor(reduction, n) },
    groups: Math.ceil(gradient.size / WORKGROUP),
    flops: n,
    bytes: 4 * gradient.size,
  });
  return gradient;
}
