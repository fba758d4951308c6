import { sizeOf } from '../../gpu/array.js';
import { activationCodes } from '../lib/activation.js';
import { orPlaceholders } from '../lib/bias_activation.js';
import { matmulCost, sizeParams, type MatmulGeometry, type MatmulProblem } from './geometry.js';
import { enoughGroups, groupsOf, type MatmulTile, type SlicedMatmul } from './slices.js';

/* Tiles in workgroup memory, for any size or for sizes divisible by four. */

const SMALL_TILE: MatmulTile = { m: 64, n: 64, k: 16, rows: 8, columns: 4 };
const LARGE_TILE: MatmulTile = { m: 128, n: 128, k: 16, rows: 8, columns: 8 };
const ANY_TILE: MatmulTile = { m: 64, n: 64, k: 16, rows: 4, columns: 4 };

export function tiledVec4Unsupported({ geometry: g }: MatmulProblem): string | null {
  const aAxis = g.transposeA ? 'm' : 'k';
  const bAxis = g.transposeB ? 'k' : 'n';
  const ragged = ([aAxis, bAxis, 'n'] as const).find((axis) => g[axis] % 4 !== 0);
  if (ragged === undefined) return null;
  return `it needs ${ragged.toUpperCase()} to be a multiple of 4, got ${g[ragged]}`;
}

export const tiled: SlicedMatmul = {
  tileOf: () => ANY_TILE,
  launch: launcherOf('matmul_forward_tiled'),
};

export const tiledVec4: SlicedMatmul = {
  tileOf({ m, n, batchShape }: MatmulGeometry, info) {
    // Large tiles read less, but there must be enough of them to keep every multiprocessor busy.
    const groups = Math.ceil(m / LARGE_TILE.m) * Math.ceil(n / LARGE_TILE.n) * sizeOf(batchShape);
    return groups >= enoughGroups(info) / 2 ? LARGE_TILE : SMALL_TILE;
  },
  launch: launcherOf('matmul_forward_tiled_vec4'),
};

function launcherOf(shader: string): SlicedMatmul['launch'] {
  return (runtime, { a, b, bias, residual }, y, geometry, { op, activation, depth, tile }) =>
    runtime.dispatch({
      shader,
      op,
      tune: {
        AElem: a.dtype,
        BElem: b.dtype,
        TILE_M: tile.m,
        TILE_N: tile.n,
        TILE_K: tile.k,
        ROWS: tile.rows,
        COLUMNS: tile.columns,
      },
      constants: {
        TRANSPOSE_A: geometry.transposeA,
        TRANSPOSE_B: geometry.transposeB,
        HAS_BIAS: bias !== undefined,
        HAS_RESIDUAL: residual !== undefined,
        ACTIVATION: activationCodes[activation ?? 'none'],
      },
      bindings: { a, b, ...orPlaceholders(runtime, { bias, residual }), y },
      params: { ...sizeParams(geometry), depth },
      groups: groupsOf(geometry, tile, depth),
      ...matmulCost(geometry),
    });
}
