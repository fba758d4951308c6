import { sizeOf, type GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { activationCodes, type FusedActivation } from './activation.js';
import {
  matmulCost,
  matmulGeometry,
  type MatmulGeometry,
  type Transposes,
} from './matmul_geometry.js';
import { chooseSlices, preferMatmulVariant, type MatmulVariant } from './matmul_variants.js';
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

interface Launch {
  op: string;
  activation: FusedActivation | undefined;
  slices: number;
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
    launchNaive(runtime, operands, y, geometry, { op, activation, slices: 1 });
    return y;
  }
  const tile = tiles[variant];
  const slices = chooseSlices(geometry, tile, runtime.info);
  const launch = launchers[variant];
  if (slices === 1) {
    const y = runtime.alloc(shape);
    launch(runtime, operands, y, geometry, { op, activation, slices });
    return y;
  }
  const part = runtime.alloc([slices, ...shape]);
  const bare = { ...operands, bias: undefined };
  launch(runtime, bare, part, geometry, { op, activation: undefined, slices });
  const y = sumSlices(runtime, part, bias, { op, activation, slices });
  part.release();
  return reshaped(y, shape);
}

type Launcher = (
  runtime: Runtime,
  operands: Operands,
  y: GpuArray,
  geometry: MatmulGeometry,
  launch: Launch,
) => void;

const launchNaive: Launcher = (runtime, { a, b, bias }, y, geometry, { op, activation }) => {
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
};

/** Rows and columns of y that one workgroup computes. */
const tiles = { shuffle: { m: 16, n: 32 } };

const launchShuffle: Launcher = (runtime, { a, b, bias }, y, geometry, launch) => {
  const { op, activation, slices } = launch;
  const { m, n, k, transposeA, transposeB } = geometry;
  const tile = tiles.shuffle;
  runtime.dispatch({
    shader: 'matmul_shuffle',
    op,
    tune: { TM: tile.m },
    constants: { ACTIVATION: isClamp(activation) ? 0 : activationCodes[activation ?? 'none'] },
    bindings: { a, b, bias: bias ?? runtime.placeholder, y },
    params: {
      ...sizesOf(geometry),
      depth: depthOf(k, slices, 8),
      transpose_a: Number(transposeA),
      transpose_b: Number(transposeB),
      has_bias: Number(bias !== undefined),
      clamp_range: clampRange(activation),
    },
    groups: [Math.ceil(n / tile.n), Math.ceil(m / tile.m), slices * sizeOf(geometry.batchShape)],
    ...matmulCost(geometry),
  });
};

const launchers: Record<Exclude<MatmulVariant, 'naive'>, Launcher> = { shuffle: launchShuffle };

/** The second pass of a product in slices; part [slices, L] → [L]. */
function sumSlices(
  runtime: Runtime,
  part: GpuArray,
  bias: GpuArray | undefined,
  { op, activation, slices }: Launch,
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
