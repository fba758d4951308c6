import { sizeOf } from '../../gpu/array.js';
import { ShapeError } from '../../errors.js';
import { activationGradient, type FusedActivation } from '../../kernels/lib/activation.js';
import { expectMatmulFits } from '../../kernels/matmul/choose.js';
import { multiply } from '../../kernels/matmul/matmul.js';
import {
  matmulCost,
  matmulGeometry,
  type MatmulGeometry,
  type OperandTypes,
} from '../../kernels/matmul/geometry.js';
import { matmulGradA, matmulGradB } from '../../kernels/matmul/gradients.js';
import { supportedMatmulVariants, type MatmulVariant } from '../../kernels/matmul/variants.js';
import { reshaped, sumLeadingAxes } from '../../kernels/reduce.js';
import { expectBias } from '../conv_epilogue.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';
import { expectDtype, expectInput, label } from '../shapes.js';

export interface DenseOptions {
  activation?: FusedActivation;
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: MatmulVariant;
}

export interface DensePlan extends Plan {
  geometry: MatmulGeometry;
  types: OperandTypes;
}

/**
 * Fully connected layer: a matmul with bias and activation in its epilogue.
 *
 * y[…,o] = activation(bias[o] + Σ_i x[…,i] · w[i,o])
 *
 * Leading axes of x are one long axis to the kernels.
 */
export const dense: OpRecord<DenseOptions, DensePlan> = {
  name: 'dense',
  inputs: { x: '… in', w: 'in out', bias: 'out?' },
  shape: densePlan,
  variants: ({ geometry, types }, info) => supportedMatmulVariants({ geometry, types, info }),
  forward({ runtime, inputs, options, plan }) {
    const { geometry, types } = plan;
    expectMatmulFits(options.variant, { geometry, types, info: runtime.info });
    const x = inputs.x!.view([geometry.m, geometry.k]);
    const { activation, variant } = options;
    const y = multiply(runtime, x, inputs.w!, {
      ...{ bias: inputs.bias, activation, variant },
      op: 'dense forward',
    });
    x.release();
    return { y: reshaped(y, plan.shape) };
  },
  saves: { x: ['w'], w: ['x'], y: ['x', 'w', 'bias'] },
  derivatives: {
    x: 'dx[…,i] = Σ_o dz[…,o] · w[i,o]',
    w: 'dw[i,o] = Σ_… x[…,i] · dz[…,o]',
    bias: 'db[o] = Σ_… dz[…,o],  dz = dy · activation′',
  },
  backward({ runtime, dy, saved, inputs, options, plan, needs }) {
    const { m, n, k } = plan.geometry;
    const dz = reshaped(
      options.activation
        ? activationGradient(runtime, dy, saved.y, options.activation)
        : dy.retain(),
      [m, n],
    );
    const { variant } = options;
    const gradX = () => matmulGradA(runtime, dz, saved.w, [m, k], { variant, op: 'dense' });
    const gradW = () => {
      const x = saved.x.view([m, k]);
      const dw = matmulGradB(runtime, x, dz, [k, n], { variant, op: 'dense' });
      x.release();
      return dw;
    };
    const gradients = {
      x: needs.x ? reshaped(gradX(), inputs.x!.shape) : undefined,
      w: needs.w ? gradW() : undefined,
      bias: needs.bias ? sumLeadingAxes(runtime, dz) : undefined,
    };
    dz.release();
    return gradients;
  },
  flops: (_inputs, plan) => matmulCost(plan.geometry).flops,
  bytes: (_inputs, plan) => matmulCost(plan.geometry).bytes,
  source: 'Definition; gradients: docs/ops/dense.md',
};

function densePlan(inputs: InputMetas): DensePlan {
  const w = expectInput('dense', 'w', inputs.w, 'in out', ['f32', 'f16']);
  const { x } = inputs;
  if (!x || x.shape.length === 0) {
    throw new ShapeError('dense: x […, in] is missing or has no axis', 'reshape it to [1, in]');
  }
  expectDtype('dense', 'x', x, ['f32', 'f16']);
  const [features, outputs] = w.shape as [number, number];
  const shapes = `(x ${label(x, x.shape.length === 2 ? 'N in' : 'in')}, w ${label(w, 'in out')})`;
  if ([...x.shape, ...w.shape].includes(0)) {
    throw new ShapeError(`dense: expected no dimension of 0 ${shapes}`);
  }
  if (x.shape.at(-1) !== features) {
    throw new ShapeError(
      `dense: w has in=${features} but x has ${x.shape.at(-1)!} features ${shapes}`,
      "check the previous layer's output; flatten images before the first dense layer",
    );
  }
  expectBias('dense', inputs.bias, outputs);
  const rows = sizeOf(x.shape) / features;
  const geometry = matmulGeometry([rows, features], w.shape, {});
  const shape = [...x.shape.slice(0, -1), outputs];
  return { shape, dtype: 'f32', geometry, types: [x.dtype, w.dtype] };
}
