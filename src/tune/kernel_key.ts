import type { DType } from '../gpu/array.js';
import {
  conv2dDirections,
  convolutionKey,
  geometryFields,
  type Conv2dDirection,
  type Conv2dGeometry,
  type Conv2dTypes,
} from '../kernels/conv2d/geometry.js';
import { matmulKey, MOST_BATCH_AXES, type MatmulGeometry } from '../kernels/matmul/geometry.js';

/*
 * What a kernel is chosen for, as text: `conv2d forward f32 f32 n=8 h=16 …`. Launchers write the text
 * (convolutionKey, matmulKey), and it is the key in caches and checkpoints; this file parses it into
 * everything needed to run the kernel again. Bias and activation are omitted, since they do not affect
 * the choice.
 */

export type KernelRequest =
  | {
      op: 'conv2d' | 'depthwiseConv2d';
      direction: Conv2dDirection;
      geometry: Conv2dGeometry;
      types: Conv2dTypes;
    }
  | { op: 'matmul'; geometry: MatmulGeometry; types: readonly [a: DType, b: DType] };

const directions: readonly string[] = conv2dDirections;
const dtypes: readonly string[] = ['f32', 'f16'];

/** Parses a key; null if it is not valid. */
export function parseKey(key: string): KernelRequest | null {
  const [op, how, first, second, ...rest] = key.split(' ');
  if (!dtypes.includes(first) || !dtypes.includes(second)) return null;
  const types = [first, second] as [DType, DType];
  const values = new Map(rest.map((part) => part.split('=') as [string, string]));
  const request =
    op === 'conv2d' || op === 'depthwiseConv2d'
      ? conv2dRequest(op, how, types, values)
      : matmulRequest(op, how, types, values);
  // A text that does not round-trip is not one of our keys.
  return request && keyOf(request) === key ? request : null;
}

function keyOf(request: KernelRequest): string {
  return request.op === 'matmul' ? matmulKey(request) : convolutionKey(request.op, request);
}

/** For messages: `conv2d forward 8×16×16×64 → 64, 3×3`. */
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
  const numbers = geometryFields.map((field) => [field, Number(values.get(field))] as const);
  if (!directions.includes(direction) || numbers.some(([, n]) => !isCount(n))) return null;
  const geometry = Object.fromEntries(numbers) as unknown as Conv2dGeometry;
  const isDepthwise = op === 'depthwiseConv2d';
  if (isDepthwise && (geometry.groups !== geometry.c || x !== 'f32' || w !== 'f32')) return null;
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
  // Only the caller's result shape uses `leading`; kernels see the merged axes.
  const leading = batchShape;
  const geometry = { m, n, k, transposeA, transposeB, leading, batchShape, aRepeats, bRepeats };
  return { op, geometry, types };
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
