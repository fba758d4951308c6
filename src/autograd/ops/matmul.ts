import { sizeOf } from '../../gpu/array.js';
import { ShapeError } from '../../errors.js';
import { expectMatmulFits } from '../../kernels/matmul/choose.js';
import { multiply } from '../../kernels/matmul/matmul.js';
import {
  broadcastLeading,
  matmulCost,
  matmulGeometry,
  mergeBatchAxes,
  MOST_BATCH_AXES,
  type MatmulGeometry,
  type OperandTypes,
  type Transposes,
} from '../../kernels/matmul/geometry.js';
import { matmulGradA, matmulGradB } from '../../kernels/matmul/gradients.js';
import { supportedMatmulVariants, type MatmulVariant } from '../../kernels/matmul/variants.js';
import type { InputMetas, Meta, OpRecord, Plan } from '../record.js';
import { expectDtype, label } from '../shapes.js';

export interface MatmulOptions extends Transposes {
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: MatmulVariant;
}

export interface MatmulPlan extends Plan {
  geometry: MatmulGeometry;
  types: OperandTypes;
}

/**
 * Matmul of a […, M, K] and b […, K, N]; leading axes broadcast.
 *
 * y[…,m,n] = Σ_k a[…,m,k] · b[…,k,n]
 *
 * f16 operands are summed in f32, and y and the gradients are f32.
 */
export const matmul: OpRecord<MatmulOptions, MatmulPlan> = {
  name: 'matmul',
  inputs: { a: '… M K', b: '… K N' },
  shape: matmulPlan,
  variants: ({ geometry, types }, info) => supportedMatmulVariants({ geometry, types, info }),
  forward({ runtime, inputs, options, plan }) {
    const { geometry, types } = plan;
    expectMatmulFits(options.variant, { geometry, types, info: runtime.info });
    return { y: multiply(runtime, inputs.a!, inputs.b!, options) };
  },
  saves: { a: ['b'], b: ['a'] },
  derivatives: {
    a: 'da[…,m,k] = Σ_n dy[…,m,n] · b[…,k,n], summed over repeated axes',
    b: 'db[…,k,n] = Σ_m a[…,m,k] · dy[…,m,n], summed over repeated axes',
  },
  backward({ runtime, dy, saved, inputs, options, needs }) {
    return {
      a: needs.a ? matmulGradA(runtime, dy, saved.b, inputs.a!.shape, options) : undefined,
      b: needs.b ? matmulGradB(runtime, saved.a, dy, inputs.b!.shape, options) : undefined,
    };
  },
  flops: (_inputs, plan) => matmulCost(plan.geometry).flops,
  bytes: (inputs, plan) =>
    bytesOf(inputs.a!) + bytesOf(inputs.b!) + bytesOf({ shape: plan.shape, dtype: 'f32' }),
  source: 'Definition; gradients: docs/ops/matmul.md',
};

function bytesOf({ shape, dtype }: Meta): number {
  return (dtype === 'f16' ? 2 : 4) * sizeOf(shape);
}

function matmulPlan(inputs: InputMetas, options: MatmulOptions): MatmulPlan {
  const { a, b } = inputs;
  if (!a || !b) throw new ShapeError(`matmul: ${a ? 'b […, K, N]' : 'a […, M, K]'} is missing`);
  const { transposeA = false, transposeB = false } = options;
  const shapes = describeOperands(a, b, transposeA, transposeB);
  for (const [name, meta] of Object.entries({ a, b })) {
    if (meta.shape.length < 2) {
      throw new ShapeError(
        `matmul: ${name} must have at least 2 dimensions, got ${meta.shape.length} ${shapes}`,
        'reshape a vector to one row or one column',
      );
    }
    expectDtype('matmul', name, meta, ['f32', 'f16']);
  }
  if ([...a.shape, ...b.shape].includes(0)) {
    throw new ShapeError(`matmul: expected no dimension of 0 ${shapes}`);
  }
  const aTerms = a.shape.at(transposeA ? -2 : -1)!;
  const bTerms = b.shape.at(transposeB ? -1 : -2)!;
  if (aTerms !== bTerms) {
    throw new ShapeError(`matmul: a has K=${aTerms} columns but b has K=${bTerms} rows ${shapes}`);
  }
  expectBatches(a.shape.slice(0, -2), b.shape.slice(0, -2), shapes);
  const geometry = matmulGeometry(a.shape, b.shape, options);
  const m = a.shape.at(transposeA ? -1 : -2)!;
  const shape = [...geometry.leading, m, geometry.n];
  return { shape, dtype: 'f32', geometry, types: [a.dtype, b.dtype] };
}

function expectBatches(a: readonly number[], b: readonly number[], shapes: string): void {
  if (!broadcastLeading(a, b)) {
    throw new ShapeError(
      `matmul: leading axes [${a.join(', ')}] and [${b.join(', ')}] do not broadcast ${shapes}`,
      'aligned from the right, they must be equal or 1',
    );
  }
  if (mergeBatchAxes(a, b).length > MOST_BATCH_AXES) {
    throw new ShapeError(
      `matmul: leading axes change more than ${MOST_BATCH_AXES - 1} times between repeated and not ${shapes}`,
      'transpose the axes that broadcast alike next to each other',
    );
  }
}

function describeOperands(a: Meta, b: Meta, transposeA: boolean, transposeB: boolean): string {
  const aLetters = transposeA ? 'K M' : 'M K';
  const bLetters = transposeB ? 'N K' : 'K N';
  const flags =
    transposeA || transposeB ? `, transposeA=${transposeA}, transposeB=${transposeB}` : '';
  return `(a ${label(a, aLetters)}, b ${label(b, bLetters)}${flags})`;
}
