import { sizeOf, type GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import type { ParamValues, TuneValue } from '../../gpu/shader.js';

const WORKGROUP = 64;

type Triple = readonly [number, number, number];

/** How an operand is read where vectors of four neighbours of the output are computed at once. */
const accessCodes = { full: 0, scalar: 1, trailing: 2, blocks: 3, numbers: 4 } as const;
type Access = keyof typeof accessCodes;

/**
 * Operands repeated to a common shape, as kernels see it: six axes in two triples, neighbours that
 * every operand treats alike merged, ones in front; a stride is 0 where the operand is repeated.
 */
export interface BroadcastGeometry {
  size: number;
  outerShape: Triple;
  innerShape: Triple;
  operands: readonly { outerStrides: Triple; innerStrides: Triple }[];
  /** How each operand lies next to the output; null if in none of the ways that have a name. */
  accesses: readonly (Access | null)[];
  /** Length of the last merged axis: the K of an operand [K], or [B 1], next to an output [… K]. */
  trailing: number;
  /** Length of the last two: the M·K of an operand [B 1 K], one [K] for each block, next to [B M K]. */
  block: number;
}

/** The geometry of `shapes`, all of which broadcast to `shape` of at most six dimensions. */
export function broadcastGeometry(
  shape: readonly number[],
  shapes: readonly (readonly number[])[],
): BroadcastGeometry {
  const lengths: number[] = [];
  const strides: number[][] = [];
  const running = shapes.map(() => 1);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis];
    if (length === 1) continue;
    const own = shapes.map((each) => each[axis - shape.length + each.length] ?? 1);
    const step = own.map((each, i) => (each === 1 ? 0 : running[i]));
    own.forEach((each, i) => (running[i] *= each));
    const inner = strides[0];
    const isAlike = inner?.every((stride, i) => step[i] === stride * lengths[0]);
    if (isAlike) {
      lengths[0] *= length;
    } else {
      lengths.unshift(length);
      strides.unshift(step);
    }
  }
  const size = sizeOf(shape);
  const trailing = lengths.at(-1) ?? 1;
  const accesses = shapes.map((each, i): Access | null => {
    const own = sizeOf(each);
    if (own === size) return 'full';
    if (own === 1) return 'scalar';
    const isRepeated = strides.at(-1)![i] === 0;
    if (isRepeated) return lengths.length === 2 ? 'numbers' : null;
    if (own === trailing) return 'trailing';
    const isInBlocks = lengths.length === 3 && strides[1][i] === 0;
    return isInBlocks ? 'blocks' : null;
  });
  const [outerShape, innerShape] = triples(lengths, 1);
  const operands = shapes.map((_, i) => {
    const [outerStrides, innerStrides] = triples(
      strides.map((step) => step[i]),
      0,
    );
    return { outerStrides, innerStrides };
  });
  const block = trailing * (lengths.at(-2) ?? 1);
  return { size, outerShape, innerShape, operands, accesses, trailing, block };
}

function triples(values: number[], filler: number): [Triple, Triple] {
  const six = [...new Array<number>(6 - values.length).fill(filler), ...values];
  return [six.slice(0, 3), six.slice(3)] as unknown as [Triple, Triple];
}

/** Whether vectors of four can be computed at once: no operand changes its access within one. */
export function fitsVectors({ accesses, trailing }: BroadcastGeometry): boolean {
  return accesses.every((access) => {
    if (access === null) return false;
    return access === 'full' || access === 'scalar' || trailing % 4 === 0;
  });
}

export const broadcastVariants = ['naive', 'vec4'] as const;
export type BroadcastVariant = (typeof broadcastVariants)[number];

/** One launch over a broadcast shape: `<shader>_naive` or `<shader>_vec4`. */
interface BroadcastLaunch {
  shader: string;
  op: string;
  tune?: Record<string, TuneValue>;
  constants?: Record<string, number | boolean>;
  /** What is repeated, by binding name, in the order of the geometry's operands. */
  operands: Record<string, GpuArray | null>;
  /** What has the size of the output. */
  bindings: Record<string, GpuArray>;
  flops?: number;
}

/**
 * Launches a kernel over operands that broadcast. An operand given as null takes part in the
 * geometry but not in this kernel.
 */
export function launchBroadcast(
  runtime: Runtime,
  geometry: BroadcastGeometry,
  variant: BroadcastVariant | undefined,
  { shader, operands, constants = {}, bindings, ...request }: BroadcastLaunch,
): void {
  const { size, outerShape, innerShape } = geometry;
  const chosen = variant ?? chooseVariant(geometry);
  const isVector = chosen === 'vec4';
  const threads = isVector ? Math.ceil(size / 4) : size;
  const accesses: Record<string, number> = {};
  const params: ParamValues = isVector
    ? { quads: threads, trailing: fours(geometry.trailing), block: fours(geometry.block) }
    : { size, outer_shape: outerShape, inner_shape: innerShape };
  const present: Record<string, GpuArray> = {};
  Object.entries(operands).forEach(([name, array], i) => {
    if (!array) return;
    present[name] = array;
    if (isVector) {
      accesses[`${name.toUpperCase()}_ACCESS`] = accessCodes[geometry.accesses[i]!];
      return;
    }
    params[`${name}_outer`] = geometry.operands[i].outerStrides;
    params[`${name}_inner`] = geometry.operands[i].innerStrides;
  });
  const arrays = { ...present, ...bindings };
  runtime.dispatch({
    ...request,
    shader: `${shader}_${chosen}`,
    constants: { ...constants, ...accesses },
    bindings: arrays,
    params,
    groups: Math.ceil(threads / WORKGROUP),
    bytes: Object.values(arrays).reduce((sum, array) => sum + array.byteLength, 0),
  });
}

/** Vectors of an axis; where its length is no multiple of four, no operand asks for it. */
function fours(length: number): number {
  return Math.max(1, Math.floor(length / 4));
}

/** Vectors wherever the operands lie right: hardly more than loads and stores is done. */
function chooseVariant(geometry: BroadcastGeometry): BroadcastVariant {
  return fitsVectors(geometry) ? 'vec4' : 'naive';
}
