import { dense as denseRecord, type DenseOptions } from '../autograd/ops/dense.js';
import { matmul as matmulRecord, type MatmulOptions } from '../autograd/ops/matmul.js';
import { applyOp, type Tensor } from '../tensor.js';
import { withActivation, withBias, type WithEpilogue } from './conv.js';
import { asOperand } from './mixed_precision.js';

/**
 * Matrix multiplication; leading axes are batches and broadcast as in NumPy.
 *
 * y[…,m,n] = Σ_k a[…,m,k] · b[…,k,n]
 *
 * **Shapes** a [… M K], b [… K N] → [… M N]; `transposeA` and `transposeB` take that operand with
 * its last two axes swapped, without copying it. Operands may be f16; sums and result are f32.
 * **Gradients** da = dy · bᵀ; db = aᵀ · dy; both summed over axes along which that operand was repeated.
 * **Cost** 2·batches·M·N·K FLOP. **Saves** b for da, a for db.
 * **Errors** ShapeError if K or the leading axes differ, or an operand has fewer than 2 axes.
 * **Source** the definition; gradients in docs/ops/matmul.md.
 *
 * @example
 * const a = device.tensor([[1, 2], [3, 4]]);
 * const b = device.tensor([[5, 6], [7, 8]]);
 * await ops.matmul(a, b).array(); // [[19, 22], [43, 50]]
 * await ops.matmul(a, b, { transposeB: true }).array(); // [[17, 23], [39, 53]]
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  return applyOp(matmulRecord, { a: asOperand(a), b: asOperand(b) }, options);
}

/**
 * Fully connected layer: every output is a weighted sum of all features.
 *
 * y[…,o] = activation(bias[o] + Σ_i x[…,i] · w[i,o])
 *
 * **Shapes** x [… in], w [in out], bias [out] → [… out]. x and w may be f16; sums and result are f32.
 * **Gradients** with dz = dy · activation′: dx = dz · wᵀ; dw = xᵀ · dz; dbias = Σ dz over the leading axes.
 * **Cost** 2·rows·in·out FLOP. **Saves** x and w; y where an activation is fused.
 * **Errors** ShapeError if features or bias do not fit w.
 * **Source** the definition; gradients in docs/ops/dense.md.
 *
 * @example
 * const x = device.tensor([[1, 2, 3]]);
 * const w = device.tensor([[1, 0], [0, 1], [1, -3]]);
 * const bias = device.tensor([0.5, 1]);
 * await ops.dense(x, w, { bias, activation: 'relu' }).array(); // [[4.5, 0]]
 */
export function dense(x: Tensor, w: Tensor, options: WithEpilogue<DenseOptions> = {}): Tensor {
  return withActivation(x, options, ({ bias: given, ...rest }) =>
    withBias(x, given, (bias) =>
      applyOp(denseRecord, { x: asOperand(x), w: asOperand(w), bias }, rest),
    ),
  );
}
