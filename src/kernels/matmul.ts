import { sizeOf, type GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { activationCodes, type FusedActivation } from './activation.js';
import {
  matmulCost,
  matmulGeometry,
  type MatmulGeometry,
  type Transposes,
} from './matmul_geometry.js';
import {
  chooseSlices,
  preferMatmulVariant,
  tileOf,
  type MatmulTile,
  type MatmulVariant,
} from './matmul_variants.js';
import { reshaped } from './reduce.js';

export interface MatmulOptions extends Transposes {
  /** Added to every row, before the activation. */
  bias?: GpuArray | undefined;
  activation?: FusedActivation | undefined;
  /** Used where it fits the operands; see matmul_variants.ts. */
  variant?: MatmulVariant | undefined;
  /** What traces call it. */
  op?: string;
}

interface Operands {
  a: GpuArray;
  b: GpuArray;
  bias: GpuArray | undefined;
}

interface Epilogue {
  op: string;
  activation: FusedActivation | undefined;
}

interface Launch extends Epilogue {
  variant: MatmulVariant;
  slices: number;
  tile: MatmulTile;
}

/**
 * y = activation(a · b + bias), with f32 sums; a […, M, K], b […, K, N] (last two axes swapped where
 * transposed) → y […, M, N]. Shapes are taken to fit.
 */
export function multiply(
  runtime: Runtime,
  a: GpuArray,
  b: GpuArray,
  options: MatmulOptions = {},
): GpuArray {
  const { bias, activation, op = 'matmul' } = options;
  const geometry = matmulGeometry(a.shape, b.shape, options);
  const variant = preferMatmulVariant(options.variant, geometry, [a.dtype, b.dtype], runtime.info);
  const operands = { a, b, bias };
  const shape = [...geometry.leading, a.shape.at(options.transposeA ? -1 : -2)!, geometry.n];
  if (variant === 'naive') {
    const y = runtime.alloc(shape);
    launchNaive(runtime, operands, y, geometry, { op, activation });
    return y;
  }
  const tile = tileOf(variant, geometry, runtime.info);
  const slices = chooseSlices(geometry, tile, runtime.info);
  const launch = variant === 'shuffle' ? launchShuffle : launchTiled;
  if (slices === 1) {
    const y = runtime.alloc(shape);
    launch(runtime, operands, y, geometry, { variant, op, activation, slices, tile });
    return y;
  }
  const part = runtime.alloc([slices, ...shape]);
  const bare = { ...operands, bias: undefined };
  launch(runtime, bare, part, geometry, { variant, op, activation: undefined, slices, tile });
  const y = sumSlices(runtime, part, slices, { op, activation, bias });
  part.release();
  return reshaped(y, shape);
}

function launchNaive(
  runtime: Runtime,
  { a, b, bias }: Operands,
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
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { a, b, bias: bias ?? runtime.placeholder, y },
    params: sizesOf(geometry),
    groups: Math.ceil(y.size / 64),
    ...matmulCost(geometry),
  });
}

function launchShuffle(
  runtime: Runtime,
  { a, b, bias }: Operands,
  y: GpuArray,
  geometry: MatmulGeometry,
  { op, activation, slices, tile }: Launch,
): void {
  const { m, n, k, transposeA, transposeB } = geometry;
  runtime.dispatch({
    shader: 'matmul_shuffle',
    op,
    tune: { TM: tile.m },
    constants: { ACTIVATION: isClamp(activation) ? 0 : activationCodes[activation ?? 'none'] },
    bindings: { a, b, bias: bias ?? runtime.placeholder, y },
    params: {
      ...sizesOf(geometry),
      depth: depthOf(k, slices, tile.k),
      transpose_a: Number(transposeA),
      transpose_b: Number(transposeB),
      has_bias: Number(bias !== undefined),
      clamp_range: clampRange(activation),
    },
    groups: [Math.ceil(n / tile.n), Math.ceil(m / tile.m), slices * sizeOf(geometry.batchShape)],
    ...matmulCost(geometry),
  });
}

function launchTiled(
  runtime: Runtime,
  { a, b, bias }: Operands,
  y: GpuArray,
  geometry: MatmulGeometry,
  { variant, op, activation, slices, tile }: Launch,
): void {
  const { m, n, k, transposeA, transposeB } = geometry;
  runtime.dispatch({
    shader: variant === 'tiled' ? 'matmul_tiled' : 'matmul_tiled_vec4',
    op,
    tune: {
      ...{ AElem: a.dtype, BElem: b.dtype },
      ...{ TILE_M: tile.m, TILE_N: tile.n, TILE_K: tile.k },
      ...{ ROWS: tile.rows, COLUMNS: tile.columns },
    },
    constants: {
      ...{ TRANSPOSE_A: transposeA, TRANSPOSE_B: transposeB, HAS_BIAS: bias !== undefined },
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { a, b, bias: bias ?? runtime.placeholder, y },
    params: { ...sizesOf(geometry), depth: depthOf(k, slices, tile.k) },
    groups: [Math.ceil(n / tile.n), Math.ceil(m / tile.m), slices * sizeOf(geometry.batchShape)],
    ...matmulCost(geometry),
  });
}

/** The second pass of a product in slices; part [slices, L] → [L]. */
function sumSlices(
  runtime: Runtime,
  part: GpuArray,
  slices: number,
  { op, activation, bias }: Epilogue & { bias: GpuArray | undefined },
): GpuArray {
  const elements = part.size / slices;
  const y = runtime.alloc([elements]);
  runtime.dispatch({
    shader: 'matmul_sum_slices',
    op,
    constants: {
      HAS_BIAS: bias !== undefined,
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { part, bias: bias ?? runtime.placeholder, y },
    params: { slices, elements, n: part.shape.at(-1)! },
    groups: Math.ceil(elements / 64),
    flops: part.size,
    bytes: 4 * (part.size + elements),
  });
  return y;
}

/** Terms of one slice, a multiple of what a kernel takes in one step. */
function depthOf(k: number, slices: number, step: number): number {
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
