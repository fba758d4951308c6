import {
  globalPool2dBackward,
  globalPool2dCost,
  globalPool2dForward,
  globalPool2dVariants,
  type GlobalPool2dGeometry,
  type GlobalPool2dVariant,
} from '../../kernels/global_pool2d.js';
import type { Pool2dKind } from '../../kernels/pool2d.js';
import type { OpRecord, Plan } from '../record.js';
import { expectInput } from '../shapes.js';

export interface GlobalPool2dOptions {
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: GlobalPool2dVariant;
}

export interface GlobalPool2dPlan extends Plan {
  geometry: GlobalPool2dGeometry;
}

/** y[n,c] = max_{h,w} x[n,h,w,c]; the first of equal maxima takes the gradient. */
export const globalMaxPool2d = globalPoolRecord('max', {
  saves: { index: ['x'] },
  derivatives: { x: 'dx[n,h,w,c] = dy[n,c] where (h,w) = argmax of (n,c), else 0' },
});

/** y[n,c] = 1/(H·W) · Σ_{h,w} x[n,h,w,c]. */
export const globalAvgPool2d = globalPoolRecord('avg', {
  saves: {},
  derivatives: { x: 'dx[n,h,w,c] = dy[n,c] / (H·W)' },
});

/** The record of one member of the family. */
export function recordOf(options: {
  kind: Pool2dKind;
}): OpRecord<GlobalPool2dOptions, GlobalPool2dPlan> {
  return options.kind === 'max' ? globalMaxPool2d : globalAvgPool2d;
}

function globalPoolRecord(
  kind: Pool2dKind,
  own: Pick<OpRecord, 'saves' | 'derivatives'>,
): OpRecord<GlobalPool2dOptions, GlobalPool2dPlan> {
  const name = kind === 'max' ? 'globalMaxPool2d' : 'globalAvgPool2d';
  return {
    name,
    variants: (plan) => globalPool2dVariants(plan.geometry),
    inputs: { x: 'N H W C' },
    shape(inputs) {
      const x = expectInput(name, 'x', inputs.x, 'N H W C');
      const [n, h, w, c] = x.shape as [number, number, number, number];
      return { shape: [n, c], dtype: 'f32', geometry: { kind, n, h, w, c } };
    },
    forward({ runtime, inputs, options, plan, keepsExtras }) {
      const { y, index } = globalPool2dForward(runtime, inputs.x!, plan.geometry, {
        keepsIndex: kind === 'max' && keepsExtras,
        variant: options.variant,
      });
      return index ? { y, extras: { index } } : { y };
    },
    ...own,
    backward({ runtime, dy, saved, options, plan, needs }) {
      if (!needs.x) return {};
      const { variant } = options;
      const index = kind === 'max' ? saved.index : undefined;
      return { x: globalPool2dBackward(runtime, dy, index, plan.geometry, { variant }) };
    },
    flops: (_inputs, plan) => globalPool2dCost(plan.geometry).flops,
    bytes: (_inputs, plan) => globalPool2dCost(plan.geometry).bytes,
    source: 'Lin, Chen & Yan, Network in network, arXiv:1312.4400, section 3.2',
  };
}
