import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';

const WORKGROUP = 64;

export const unaryVariants = ['naive', 'vec4'] as const;
export type UnaryVariant = (typeof unaryVariants)[number];

/** Unary functions, with the codes of shaders/lib/unary.wgsl. */
const unaryCodes = {
  relu: 0,
  relu6: 1,
  leakyRelu: 2,
  elu: 3,
  gelu: 4,
  geluTanh: 5,
  sigmoid: 6,
  silu: 7,
  hardSwish: 8,
  tanh: 9,
  softplus: 10,
  exp: 11,
  log: 12,
  sqrt: 13,
  square: 14,
  abs: 15,
  neg: 16,
  clip: 17,
  clipBelow: 18,
  clipAbove: 19,
} as const;

/** A function with its parameters. */
export interface UnaryFunction {
  code: keyof typeof unaryCodes;
  alpha?: number;
  low?: number;
  high?: number;
}

/** y = f(x); x [L] → y [L]. */
export function unaryForward(
  runtime: Runtime,
  x: GpuArray,
  f: UnaryFunction,
  variant: UnaryVariant = chooseVariant(),
): GpuArray {
  const y = runtime.alloc(x.shape);
  launch(runtime, 'forward', { x, y }, f, y.size, variant);
  return y;
}

/** dx = dy · f′, computed from v: x or y of the forward pass; dy [L], v [L] → dx [L]. */
export function unaryBackward(
  runtime: Runtime,
  dy: GpuArray,
  v: GpuArray,
  f: UnaryFunction,
  variant: UnaryVariant = chooseVariant(),
): GpuArray {
  const dx = runtime.alloc(v.shape);
  launch(runtime, 'backward', { dy, v, dx }, f, dx.size, variant);
  return dx;
}

/** Little more than loads and stores: vec4 is faster everywhere. */
function chooseVariant(): UnaryVariant {
  return 'vec4';
}

function launch(
  runtime: Runtime,
  direction: 'forward' | 'backward',
  bindings: Record<string, GpuArray>,
  { code, alpha = 0, low = 0, high = 0 }: UnaryFunction,
  size: number,
  variant: UnaryVariant,
): void {
  const threads = variant === 'vec4' ? Math.ceil(size / 4) : size;
  runtime.dispatch({
    shader: `unary_${direction}_${variant}`,
    op: `${code} ${direction}`,
    constants: { OP: unaryCodes[code] },
    bindings,
    params: { [variant === 'vec4' ? 'quads' : 'size']: threads, alpha, low, high },
    groups: Math.ceil(threads / WORKGROUP),
    flops: size,
    bytes: 4 * size * Object.keys(bindings).length,
  });
}
