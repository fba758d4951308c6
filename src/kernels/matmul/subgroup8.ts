import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import type { ParamValues } from '../../gpu/shader.js';
import { activationCodes, type FusedActivation } from '../lib/activation.js';
import { orPlaceholders } from '../lib/bias_activation.js';
import { matmulCost, sizeParams, type MatmulGeometry, type MatmulProblem } from './geometry.js';
import { groupsOf, type MatmulTile, type SlicedMatmul } from './slices.js';
import type { MatmulOperands } from './launchers.js';

/* Sums in registers, with loads shared by subgroup shuffles over 8 lanes. */

export const SUBGROUP8_TILE: MatmulTile = { m: 24, n: 32, k: 8, rows: 24, columns: 4 };

export function matmulSubgroup8Unsupported({
  geometry: g,
  types,
  info,
}: MatmulProblem): string | null {
  // The kernel uses the index in a workgroup of 8 as the lane, so it needs subgroups of exactly 8.
  if (info.subgroupMinSize !== 8 || info.subgroupMaxSize !== 8) {
    return `it needs subgroups of exactly 8 lanes, this adapter has ${info.subgroupMinSize} to ${info.subgroupMaxSize}`;
  }
  if (types.includes('f16')) return 'it needs operands of f32';
  if (g.n % 4 !== 0) return `it needs N to be a multiple of 4, got ${g.n}`;
  if (!g.transposeB || g.k % 4 === 0) return null;
  return `it needs K to be a multiple of 4 where b is transposed, got ${g.k}`;
}

export const subgroup8: SlicedMatmul = {
  tileOf: () => SUBGROUP8_TILE,
  launch(runtime, { a, b, bias, residual }, y, geometry, { op, activation, depth, tile }) {
    const isClamp = activation === 'relu' || activation === 'relu6';
    runtime.dispatch({
      shader: 'matmul_forward_subgroup8',
      op,
      tune: { TM: tile.m },
      constants: { ACTIVATION: isClamp ? 0 : activationCodes[activation ?? 'none'] },
      bindings: { a, b, ...orPlaceholders(runtime, { bias, residual }), y },
      params: { product: productParams(geometry, depth, { bias, residual, activation }) },
      groups: groupsOf(geometry, tile, depth),
      ...matmulCost(geometry),
    });
  },
};

interface PairedMatmul {
  a: GpuArray;
  b: GpuArray;
  y: GpuArray;
  geometry: MatmulGeometry;
  /** Workgroups and terms, in one slice. */
  groups: number;
  depth: number;
}

/** Two matmuls in one dispatch, each in one slice; the residual is the first's. */
export function launchPair(
  runtime: Runtime,
  [first, second]: readonly [PairedMatmul, PairedMatmul],
  residual: GpuArray | undefined,
  op: string,
): void {
  const [one, two] = [matmulCost(first.geometry), matmulCost(second.geometry)];
  runtime.dispatch({
    shader: 'matmul_forward_subgroup8_pair',
    op,
    tune: { TM: SUBGROUP8_TILE.m },
    bindings: {
      a1: first.a,
      b1: first.b,
      residual: residual ?? runtime.placeholder,
      y1: first.y,
      a2: second.a,
      b2: second.b,
      y2: second.y,
    },
    params: {
      first: productParams(first.geometry, first.depth, { residual }),
      second: productParams(second.geometry, second.depth, {}),
      first_groups: first.groups,
      second_groups: second.groups,
    },
    groups: first.groups + second.groups,
    flops: one.flops + two.flops,
    bytes: one.bytes + two.bytes,
  });
}

/** `struct Product` of lib/matmul_subgroup8.wgsl. */
function productParams(
  geometry: MatmulGeometry,
  depth: number,
  added: Partial<MatmulOperands> & { activation?: FusedActivation | undefined },
): ParamValues {
  return {
    ...sizeParams(geometry),
    depth,
    transpose_a: Number(geometry.transposeA),
    transpose_b: Number(geometry.transposeB),
    added: Number(added.bias !== undefined) + 2 * Number(added.residual !== undefined),
    clamp_range: clampRange(added.activation),
  };
}

const LARGEST_F32 = 3.4028234663852886e38;

/** Output range of relu or relu6; empty for other activations. */
function clampRange(activation: FusedActivation | undefined): [number, number] {
  if (activation === 'relu') return [0, LARGEST_F32];
  if (activation === 'relu6') return [0, 6];
  return [1, 0];
}
