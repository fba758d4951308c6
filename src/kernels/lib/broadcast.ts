import { sizeOf, type GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import type { ParamValues, TuneValue } from '../../gpu/shader.js';

const WORKGROUP = 64;

type Triple = readonly [number, number, number];

/** How vec4 kernels read an operand. */
const accessCodes = { full: 0, scalar: 1, trailing: 2, blocks: 3, numbers: 4 } as const;
type Access = keyof typeof accessCodes;

/**
 * Operands broadcast to a common shape, for kernels: six axes in two triples with leading 1s.
 * Neighbouring axes that broadcast alike are merged; a stride is 0 along axes where the operand is
 * repeated.
 */
export interface BroadcastGeometry {
  size: number;
  outerShape: Triple;
  innerShape: Triple;
  operands: readonly { outerStrides: Triple; innerStrides: Triple }[];
  /** How each operand is read; null if only strides describe it. */
  accesses: readonly (Access | null)[];
  /** Length of the last merged axis: K for an operand [K] or [B 1] of an output [… K]. */
  trailing: number;
  /** Length of the last two axes: M·K for an operand [B 1 K] of an output [B M K]. */
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

/** Whether vec4 kernels can compute this: no operand changes its access within a vector. */
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
  /** Operands that broadcast, by binding name, in the order of the geometry. */
  operands: Record<string, GpuArray | null>;
  /** Arrays of the output's size. */
  bindings: Record<string, GpuArray>;
  flops?: number;
}

/**
 * Launches a kernel over operands that broadcast. An operand that is null is part of the geometry but
 * not bound by this kernel.
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

/** Length of an axis in vectors; unused unless it is a multiple of four. */
function fours(length: number): number {
  return Math.max(1, Math.floor(length / 4));
}

/** Vectors wherever possible: these kernels do little more than load and store. */
function chooseVariant(geometry: BroadcastGeometry): BroadcastVariant {
  return fitsVectors(geometry) ? 'vec4' : 'naive';
}
