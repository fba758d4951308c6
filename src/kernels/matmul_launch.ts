import { sizeOf, type GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import type { ParamValues } from '../gpu/shader.js';
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
  runtime.dispatch({
    shader: 'matmul_shuffle',
    op,
    tune: { TM: tile.m },
    constants: { ACTIVATION: isClamp(activation) ? 0 : activationCodes[activation ?? 'none'] },
    bindings: { a, b, ...orPlaceholders(runtime, { bias, residual }), y },
    params: { product: shuffleParams(geometry, depth, { bias, residual, activation }) },
    groups: groupsOf(geometry, tile, depth),
    ...matmulCost(geometry),
  });
}

export interface PairedProduct {
  a: GpuArray;
  b: GpuArray;
  y: GpuArray;
  geometry: MatmulGeometry;
  /** Workgroups and terms, in one slice. */
  groups: number;
  depth: number;
}

/** Two products in one dispatch, each as launchShuffle's in one slice; the residual is the first's. */
export function launchShufflePair(
  runtime: Runtime,
  [first, second]: readonly [PairedProduct, PairedProduct],
  residual: GpuArray | undefined,
  { op, tile }: Pick<Launch, 'op' | 'tile'>,
): void {
  const [one, two] = [matmulCost(first.geometry), matmulCost(second.geometry)];
  runtime.dispatch({
    shader: 'matmul_shuffle_pair',
    op,
    tune: { TM: tile.m },
    bindings: {
      ...{ a1: first.a, b1: first.b, residual: residual ?? runtime.placeholder, y1: first.y },
      ...{ a2: second.a, b2: second.b, y2: second.y },
    },
    params: {
      first: shuffleParams(first.geometry, first.depth, { residual }),
      second: shuffleParams(second.geometry, second.depth, {}),
      ...{ first_groups: first.groups, second_groups: second.groups },
    },
    groups: first.groups + second.groups,
    flops: one.flops + two.flops,
    bytes: one.bytes + two.bytes,
  });
}

/** `struct Product` of lib/matmul_shuffle.wgsl. */
function shuffleParams(
  geometry: MatmulGeometry,
  depth: number,
  added: Partial<Pick<Operands, 'bias' | 'residual'>> & { activation?: Epilogue['activation'] },
): ParamValues {
  return {
    ...sizesOf(geometry),
    depth,
    transpose_a: Number(geometry.transposeA),
    transpose_b: Number(geometry.transposeB),
    added: Number(added.bias !== undefined) + 2 * Number(added.residual !== undefined),
    clamp_range: clampRange(added.activation),
  };
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
export function groupsOf({ m, n, k, batchShape }: MatmulGeometry, tile: MatmulTile, depth: number) {
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
