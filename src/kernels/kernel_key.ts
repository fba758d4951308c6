import type { DType } from '../gpu/array.js';
import type { Conv2dDirection } from './conv2d_fit.js';
import { f32Operands, type Conv2dGeometry, type Conv2dTypes } from './conv2d_geometry.js';
import { MOST_BATCH_AXES, type MatmulGeometry } from './matmul_geometry.js';

/*
 * What a kernel is chosen for, as text: `conv2d forward f32 f32 n=8 h=16 …`. The text is the key of
 * caches and checkpoints, and everything needed to run the kernel again can be read back from it.
 * Bias and activation are left out: an epilogue decides nothing.
 */

export type KernelRequest =
  | {
      op: 'conv2d' | 'depthwiseConv2d';
      direction: Conv2dDirection;
      geometry: Conv2dGeometry;
      types: Conv2dTypes;
    }
  | { op: 'matmul'; geometry: MatmulGeometry; types: readonly [a: DType, b: DType] };

const conv2dFields = [
  ...['n', 'h', 'w', 'c', 'r', 's', 'k', 'p', 'q', 'strideH', 'strideW'],
  ...['padTop', 'padBottom', 'padLeft', 'padRight', 'dilationH', 'dilationW', 'groups'],
] as (keyof Conv2dGeometry)[];
const directions: readonly string[] = ['forward', 'gradInput', 'gradWeight'];
const dtypes: readonly string[] = ['f32', 'f16'];

/** x and w are the launcher's two operands; in a gradient one of them is dy. */
export function conv2dKey(
  direction: Conv2dDirection,
  geometry: Conv2dGeometry,
  types: Conv2dTypes,
): string {
  return convolutionKey('conv2d', direction, geometry, types);
}

/** Of f32 operands: depthwise kernels read no others. */
export function depthwiseKey(direction: Conv2dDirection, geometry: Conv2dGeometry): string {
  return convolutionKey('depthwiseConv2d', direction, geometry, f32Operands);
}

function convolutionKey(
  op: 'conv2d' | 'depthwiseConv2d',
  direction: Conv2dDirection,
  geometry: Conv2dGeometry,
  { x, w }: Conv2dTypes,
): string {
  const numbers = conv2dFields.map((field) => `${field}=${geometry[field]}`);
  return `${op} ${direction} ${x} ${w} ${numbers.join(' ')}`;
}

export function matmulKey(g: MatmulGeometry, [a, b]: readonly [a: DType, b: DType]): string {
  const batch = `${g.batchShape.join('×')} repeats=${g.aRepeats},${g.bRepeats}`;
  const order = `${g.transposeA ? 'T' : 'N'}${g.transposeB ? 'T' : 'N'}`;
  return `matmul ${order} ${a} ${b} m=${g.m} n=${g.n} k=${g.k} batch=${batch}`;
}

/** What a key stands for; null where it is none of ours. */
export function parseKey(key: string): KernelRequest | null {
  const [op, how, first, second, ...rest] = key.split(' ');
  if (!dtypes.includes(first) || !dtypes.includes(second)) return null;
  const types = [first, second] as [DType, DType];
  const values = new Map(rest.map((part) => part.split('=') as [string, string]));
  const request =
    op === 'conv2d' || op === 'depthwiseConv2d'
      ? conv2dRequest(op, how, types, values)
      : matmulRequest(op, how, types, values);
  // What does not give the same text again was not written by us.
  return request && keyOf(request) === key ? request : null;
}

export function keyOf(request: KernelRequest): string {
  if (request.op === 'matmul') return matmulKey(request.geometry, request.types);
  return request.op === 'conv2d'
    ? conv2dKey(request.direction, request.geometry, request.types)
    : depthwiseKey(request.direction, request.geometry);
}

/** For people: `conv2d forward 8×16×16×64 → 64, 3×3`. */
export function describeRequest(request: KernelRequest): string {
  if (request.op !== 'matmul') {
    const { n, h, w, c, k, r, s, strideH, strideW, groups } = request.geometry;
    const stride = strideH === 1 && strideW === 1 ? '' : `, stride ${strideH}×${strideW}`;
    const isGrouped = request.op === 'conv2d' && groups !== 1;
    const grouped = isGrouped ? `, ${groups} groups` : '';
    const direction = { forward: 'forward', gradInput: 'grad-input', gradWeight: 'grad-weight' };
    return `${request.op} ${direction[request.direction]} ${n}×${h}×${w}×${c} → ${k}, ${r}×${s}${stride}${grouped}${halves(Object.values(request.types))}`;
  }
  const { m, n, k, batchShape, transposeA, transposeB } = request.geometry;
  const count = batchShape.reduce((product, length) => product * length, 1);
  const operand = (name: string, isTransposed: boolean) => name + (isTransposed ? 'ᵀ' : '');
  return `matmul ${operand('a', transposeA)}·${operand('b', transposeB)} ${count > 1 ? `${count} of ` : ''}${m}×${k}·${k}×${n}${halves(request.types)}`;
}

function halves(types: readonly string[]): string {
  return types.includes('f16') ? `, ${types.join(' and ')}` : '';
}

function conv2dRequest(
  op: 'conv2d' | 'depthwiseConv2d',
  direction: string,
  [x, w]: [DType, DType],
  values: Map<string, string>,
): KernelRequest | null {
  const numbers = conv2dFields.map((field) => [field, Number(values.get(field))] as const);
  if (!directions.includes(direction) || numbers.some(([, n]) => !isCount(n))) return null;
  const geometry = Object.fromEntries(numbers) as unknown as Conv2dGeometry;
  if (op === 'depthwiseConv2d' && geometry.groups !== geometry.c) return null;
  return { op, direction: direction as Conv2dDirection, geometry, types: { x, w } };
}

function matmulRequest(
  op: string,
  order: string,
  types: [DType, DType],
  values: Map<string, string>,
): KernelRequest | null {
  const [m, n, k] = ['m', 'n', 'k'].map((name) => Number(values.get(name)));
  const batchShape = (values.get('batch') ?? '').split('×').map(Number);
  const [aRepeats, bRepeats] = (values.get('repeats') ?? '').split(',').map(Number);
  const all = [m, n, k, aRepeats, bRepeats, ...batchShape];
  if (op !== 'matmul' || !/^[NT]{2}$/.test(order) || !all.every(isCount)) return null;
  if (batchShape.length !== MOST_BATCH_AXES) return null;
  const [transposeA, transposeB] = [order[0] === 'T', order[1] === 'T'];
  // `leading` is what a caller's result is shaped by; kernels see the merged axes.
  const leading = batchShape;
  const geometry = { m, n, k, transposeA, transposeB, leading, batchShape, aRepeats, bRepeats };
  return { op, geometry, types };
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
