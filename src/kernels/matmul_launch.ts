import { sizeOf, type GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { activationCodes, type FusedActivation } from './activation.js';
import { orPlaceholders } from './bias_activation.js';
import { matmulCost, type MatmulGeometry } from './matmul_geometry.js';
import type { MatmulTile, MatmulVariant } from './matmul_variants.js';

/* One function for each kernel of matmul; src/kernels/matmul.ts says which runs. */

export interface Operands {
  a: GpuArray;
  b: GpuArray;
  bias: GpuArray | undefined;
  residual: GpuArray | undefined;
}

export interface Epilogue {
  op: string;
  activation: FusedActivation | undefined;
}

export interface Launch extends Epilogue {
  variant: MatmulVariant;
  /** Terms of one slice. */
  depth: number;
  tile: MatmulTile;
}

export function launchNaive(
  runtime: Runtime,
  { a, b, bias, residual }: Operands,
  y: GpuArray,
  geometry: MatmulGeometry,
  { op, activation }: Epilogue,
): void {
  runtime.dispatch({
    shader: 'matmul_forward_naive',
    op,
    tune: { AElem: a.dtype, BElem: b.dtype },
    constants: {
      TRANSPOSE_A: geometry.transposeA,
      TRANSPOSE_B: geometry.transposeB,
      HAS_BIAS: bias !== undefined,
      HAS_RESIDUAL: residual !== undefined,
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { a, b, ...orPlaceholders(runtime, { bias, residual }), y },
    params: sizesOf(geometry),
    groups: Math.ceil(y.size / 64),
    ...matmulCost(geometry),
  });
}

export function launchShuffle(
  runtime: Runtime,
  { a, b, bias, residual }: Operands,
  y: GpuArray,
  geometry: MatmulGeometry,
  { op, activation, depth, tile }: Launch,
): void {
  const { transposeA, transposeB } = geometry;
  runtime.dispatch({
    shader: 'matmul_shuffle',
    op,
    tune: { TM: tile.m },
    constants: { ACTIVATION: isClamp(activation) ? 0 : activationCodes[activation ?? 'none'] },
    bindings: { a, b, ...orPlaceholders(runtime, { bias, residual }), y },
    params: {
      ...sizesOf(geometry),
      depth,
      transpose_a: Number(transposeA),
      transpose_b: Number(transposeB),
      added: Number(bias !== undefined) + 2 * Number(residual !== undefined),
      clamp_range: clampRange(activation),
    },
    groups: groupsOf(geometry, tile, depth),
    ...matmulCost(geometry),
  });
}

export function launchTiled(
  runtime: Runtime,
  { a, b, bias, residual }: Operands,
  y: GpuArray,
  geometry: MatmulGeometry,
  { variant, op, activation, depth, tile }: Launch,
): void {
  const { transposeA, transposeB } = geometry;
  runtime.dispatch({
    shader: variant === 'tiled' ? 'matmul_tiled' : 'matmul_tiled_vec4',
    op,
    tune: {
      ...{ AElem: a.dtype, BElem: b.dtype },
      ...{ TILE_M: tile.m, TILE_N: tile.n, TILE_K: tile.k },
      ...{ ROWS: tile.rows, COLUMNS: tile.columns },
    },
    constants: {
      ...{ TRANSPOSE_A: transposeA, TRANSPOSE_B: transposeB },
      ...{ HAS_BIAS: bias !== undefined, HAS_RESIDUAL: residual !== undefined },
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { a, b, ...orPlaceholders(runtime, { bias, residual }), y },
    params: { ...sizesOf(geometry), depth },
    groups: groupsOf(geometry, tile, depth),
    ...matmulCost(geometry),
  });
}

/** The second pass of a product in slices; part [slices, L] → [L]. */
export function sumSlices(
  runtime: Runtime,
  part: GpuArray,
  slices: number,
  { op, activation, bias, residual }: Epilogue & Pick<Operands, 'bias' | 'residual'>,
): GpuArray {
  const elements = part.size / slices;
  const y = runtime.alloc([elements]);
  runtime.dispatch({
    shader: 'matmul_sum_slices',
    op,
    constants: {
      HAS_BIAS: bias !== undefined,
      HAS_RESIDUAL: residual !== undefined,
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { part, ...orPlaceholders(runtime, { bias, residual }), y },
    params: { slices, elements, n: part.shape.at(-1)! },
    groups: Math.ceil(elements / 64),
    flops: part.size,
    bytes: 4 * (part.size + elements),
  });
  return y;
}

/** Workgroups: tiles of y, for each matrix and each slice. */
function groupsOf({ m, n, k, batchShape }: MatmulGeometry, tile: MatmulTile, depth: number) {
  const tiles = Math.ceil(n / tile.n) * Math.ceil(m / tile.m);
  return tiles * sizeOf(batchShape) * Math.ceil(k / depth);
}

/** Terms of one slice, a multiple of what a kernel takes in one step. */
export function depthOf(k: number, slices: number, step: number): number {
  return Math.ceil(k / slices / step) * step;
}

function sizesOf(geometry: MatmulGeometry) {
  const { m, n, k, batchShape, aRepeats, bRepeats } = geometry;
  return {
    batch_shape: batchShape,
    ...{ m, n, k, batches: sizeOf(batchShape) },
    ...{ a_repeats: aRepeats, b_repeats: bRepeats },
  };
}

function isClamp(activation: FusedActivation | undefined): boolean {
  return activation === 'relu' || activation === 'relu6';
}

const LARGEST_F32 = 3.4028234663852886e38;

/** The range that relu and relu6 leave; an empty one stands for neither. */
function clampRange(activation: FusedActivation | undefined): [number, number] {
  if (activation === 'relu') return [0, LARGEST_F32];
  if (activation === 'relu6') return [0, 6];
  return [1, 0];
}
