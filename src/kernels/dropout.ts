import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';

const WORKGROUP = 64;

export const dropoutVariants = ['naive', 'vec4'] as const;
export type DropoutVariant = (typeof dropoutVariants)[number];

/** y = x · mask / (1 − rate), the mask drawn from `block`; x [L] → y [L]. */
export function dropoutForward(
  runtime: Runtime,
  x: GpuArray,
  block: GpuArray,
  rate: number,
  options: { variant?: DropoutVariant | undefined } = {},
): GpuArray {
  return dropout(runtime, 'dropout forward', x, block, rate, options.variant ?? chooseVariant());
}

/** dx = dy · mask / (1 − rate), with the mask recomputed from the block; dy [L] → dx [L]. */
export function dropoutBackward(
  runtime: Runtime,
  dy: GpuArray,
  block: GpuArray,
  rate: number,
  options: { variant?: DropoutVariant | undefined } = {},
): GpuArray {
  return dropout(runtime, 'dropout backward', dy, block, rate, options.variant ?? chooseVariant());
}

/** One Philox block gives four random words: four elements at once are faster everywhere. */
function chooseVariant(): DropoutVariant {
  return 'vec4';
}

function dropout(
  runtime: Runtime,
  op: string,
  x: GpuArray,
  block: GpuArray,
  rate: number,
  variant: DropoutVariant,
): GpuArray {
  const y = runtime.alloc(x.shape);
  const threads = variant === 'vec4' ? Math.ceil(x.size / 4) : x.size;
  runtime.dispatch({
    shader: `dropout_${variant}`,
    op,
    bindings: { block, x, y },
    params: {
      [variant === 'vec4' ? 'quads' : 'size']: threads,
      threshold: Math.ceil(rate * 2 ** 24),
      scale: 1 / (1 - rate),
    },
    groups: Math.ceil(threads / WORKGROUP),
    flops: x.size,
    bytes: 8 * x.size,
  });
  return y;
}
