import { ShapeError } from '../../errors.js';
import { bytesPerElement, sizeOf, type DType } from '../../gpu/array.js';
import { castArray, castVariants, type CastVariant } from '../../kernels/cast.js';
import { expectElements } from '../operands.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';

const DTYPES: readonly DType[] = ['f32', 'f16', 'i32', 'u32', 'u8'];

export interface CastOptions {
  dtype: DType;
  /** The values are multiplied by it, as in 1 / 255 for images of bytes. Default 1. */
  scale?: number;
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: CastVariant;
}

/** Changes the element type: y = x · scale as `dtype`. Between floats the gradient passes. */
export const cast: OpRecord<CastOptions> = {
  name: 'cast',
  inputs: { x: '…' },
  variants: (plan) => (plan.dtype === 'u8' ? [] : castVariants),
  shape: castPlan,
  forward({ runtime, inputs, options: { dtype, scale, variant } }) {
    return { y: castArray(runtime, inputs.x!, dtype, scale, variant) };
  },
  saves: {},
  derivatives: { x: 'dx = dy · scale between f32 and f16; from and to integers there is none' },
  backward({ runtime, dy, inputs, options, needs }) {
    if (!needs.x || !isFloat(options.dtype)) return {};
    return { x: castArray(runtime, dy, inputs.x!.dtype, options.scale, options.variant) };
  },
  flops: (_inputs, plan) => sizeOf(plan.shape),
  bytes: (inputs, plan) =>
    sizeOf(plan.shape) * (bytesPerElement[inputs.x!.dtype] + bytesPerElement[plan.dtype]),
  source: 'WGSL specification, section Floating Point Conversion',
};

function isFloat(dtype: DType): boolean {
  return dtype === 'f32' || dtype === 'f16';
}

function castPlan(inputs: InputMetas, { dtype, scale = 1 }: CastOptions): Plan {
  const x = expectElements('cast', 'x', inputs.x, DTYPES);
  if (!DTYPES.includes(dtype)) {
    throw new ShapeError(
      `cast: dtype must be ${DTYPES.join(', ')}, got ${String(dtype)} (x [${x.shape.join(' ')}])`,
    );
  }
  if (!Number.isFinite(scale)) {
    throw new ShapeError(`cast: scale must be a finite number, got ${String(scale)}`);
  }
  return { shape: x.shape, dtype };
}
