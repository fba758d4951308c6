// Gradient of a convolution's filter on the matrix units of a GPU ("tensor cores").
// Improves conv2d_grad_weight_tiled_vec4, with the same product, the same walk over it and the same
// slices; but the inner sums are made by subgroups, which multiply 16×16 matrices of f16 and add them
// up in f32. dy comes rounded to f16 as well.
//
// A workgroup of 128 is four subgroups of 32, as 2×2: together they compute BM filter rows × BN
// channels, each a quarter, kept in matrices of 16×16 sums. What a filter row saw of x lies in a
// column of its tile, so the left matrices are loaded by columns. Rows of the tiles are padded by 8
// numbers, so that the rows of a matrix lie in different banks.
//   x    [N H W C]            read, f16 as vec4 along C; C/groups a multiple of 4
//   dy   [N P Q K]            read, f16 as vec4 along K; K/groups a multiple of 4
//   part [Z R S C/groups K]   written, f32 as vec4 along K: one partial sum per slice, for sum_slices
// Grid: (⌈T/BM⌉, groups·⌈K/groups/BN⌉, Z), T = R·S·C/groups.
// Tunables: the tile.
// Limits: WebGPU's defaults (tiles of 128×128 want 22,528 bytes of workgroup memory); the features
// shader-f16, subgroups (of 32) and chromium-experimental-subgroup-matrix, with f16 matrices of
// 16×16×16 and results of f32.
enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;

const BM: u32 = 64u; // @tune
const BN: u32 = 64u; // @tune
const BK: u32 = 32u; // @tune

const EDGE: u32 = 16u; // of a matrix
const THREADS: u32 = 128u;
const MATRIX_ROWS: u32 = BM / 2u / EDGE; // matrices of a subgroup
const MATRIX_COLUMNS: u32 = BN / 2u / EDGE;
const X_STRIDE: u32 = BM + 8u;
const DY_STRIDE: u32 = BN + 8u;
const STAGE_STRIDE: u32 = EDGE + 4u;
const BM4: u32 = BM / 4u;
const BN4: u32 = BN / 4u;
const X_LOADS: u32 = BK * BM4 / THREADS;
const DY_LOADS: u32 = BK * BN4 / THREADS;
const_assert BM % 32u == 0u && BN % 32u == 0u && BK % EDGE == 0u;
const_assert THREADS % BM4 == 0u && BK * BM4 % THREADS == 0u;
const_assert THREADS % BN4 == 0u && BK * BN4 % THREADS == 0u;

alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sums = subgroup_matrix_result<f32, 16, 16>;

struct Params {
  x_shape: vec4<u32>,
  y_shape: vec4<u32>,
  filter_size: vec2<u32>,
  stride: vec2<u32>,
  pad: vec2<i32>,
  dilation: vec2<u32>,
  groups: u32,
  pixels_per_slice: u32,
  slice_stride: u32, // vectors of part from one slice to the next
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f16>>;
@group(0) @binding(2) var<storage, read> dy: array<vec4<f16>>;
@group(0) @binding(3) var<storage, read_write> part: array<vec4<f32>>;

var<workgroup> x_tile: array<f16, BK * X_STRIDE>;
var<workgroup> dy_tile: array<f16, BK * DY_STRIDE>;
var<workgroup> stage: array<f32, 4u * EDGE * STAGE_STRIDE>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let H = params.x_shape.y;
  let W = params.x_shape.z;
  let C4 = params.x_shape.w / 4u;
  let P = params.y_shape.y;
  let Q = params.y_shape.z;
  let K4 = params.y_shape.w / 4u;
  let group_c4 = C4 / params.groups;
  let group_k4 = K4 / params.groups;
  let S = params.filter_size.y;
  let T4 = params.filter_size.x * S * group_c4;

  let t0 = group.x * BM4;
  let column_tiles = (group_k4 + BN4 - 1u) / BN4;
  let filter_group = group.y / column_tiles;
  let k0 = (group.y % column_tiles) * BN4;
  let first_k4 = filter_group * group_k4;

  // This invocation fetches always the same filter rows of x: one tap, four channels.
  let x_row = local / BM4;
  let x_column = local % BM4;
  let t4 = t0 + x_column;
  let tap = t4 / group_c4;
  let channel4 = filter_group * group_c4 + t4 % group_c4;
  let offset = vec2<i32>(vec2<u32>(tap / S, tap % S) * params.dilation) - params.pad;
  let dy_row = local / BN4;
  let dy_column = local % BN4;
  let has_dy_column = k0 + dy_column < group_k4;

  let first_pixel = group.z * params.pixels_per_slice;
  let end_pixel = min(first_pixel + params.pixels_per_slice, params.y_shape.x * P * Q);
  let first_row = subgroup / 2u * (BM / 2u);
  let first_column = subgroup % 2u * (BN / 2u);

  var sums: array<array<Sums, MATRIX_COLUMNS>, MATRIX_ROWS>;

  for (var m0 = first_pixel; m0 < end_pixel; m0 += BK) {
    for (var i = 0u; i < X_LOADS; i++) {
      let tile_row = x_row + i * (THREADS / BM4);
      let m = m0 + tile_row;
      let pixel = vec2<u32>(m / Q % P, m % Q);
      // As unsigned numbers, those left of or above the image are too large as well.
      let at = vec2<u32>(vec2<i32>(pixel * params.stride) + offset);
      var value = vec4<f16>();
      if (t4 < T4 && m < end_pixel && at.x < H && at.y < W) {
        value = x[((m / (P * Q) * H + at.x) * W + at.y) * C4 + channel4];
      }
      let to = tile_row * X_STRIDE + x_column * 4u;
      x_tile[to] = value.x;
      x_tile[to + 1u] = value.y;
      x_tile[to + 2u] = value.z;
      x_tile[to + 3u] = value.w;
    }
    for (var i = 0u; i < DY_LOADS; i++) {
      let tile_row = dy_row + i * (THREADS / BN4);
      var value = vec4<f16>();
      if (has_dy_column && m0 + tile_row < end_pixel) {
        value = dy[(m0 + tile_row) * K4 + first_k4 + k0 + dy_column];
      }
      let to = tile_row * DY_STRIDE + dy_column * 4u;
      dy_tile[to] = value.x;
      dy_tile[to + 1u] = value.y;
      dy_tile[to + 2u] = value.z;
      dy_tile[to + 3u] = value.w;
    }
    workgroupBarrier();

    for (var depth = 0u; depth < BK; depth += EDGE) {
      var right: array<Right, MATRIX_COLUMNS>;
      for (var j = 0u; j < MATRIX_COLUMNS; j++) {
        let from_dy = depth * DY_STRIDE + first_column + j * EDGE;
        right[j] = subgroupMatrixLoad<Right, row_major>(&dy_tile, from_dy, DY_STRIDE);
      }
      for (var i = 0u; i < MATRIX_ROWS; i++) {
        let from_x = depth * X_STRIDE + first_row + i * EDGE;
        let left = subgroupMatrixLoad<Left, col_major>(&x_tile, from_x, X_STRIDE);
        for (var j = 0u; j < MATRIX_COLUMNS; j++) {
          sums[i][j] = subgroupMatrixMultiplyAccumulate(left, right[j], sums[i][j]);
        }
      }
    }
    workgroupBarrier();
  }

  // Of each matrix a lane writes eight neighbours of one row.
  let stage0 = subgroup * EDGE * STAGE_STRIDE;
  for (var i = 0u; i < MATRIX_ROWS; i++) {
    for (var j = 0u; j < MATRIX_COLUMNS; j++) {
      subgroupMatrixStore<row_major>(&stage, stage0, sums[i][j], STAGE_STRIDE);
      workgroupBarrier();
      let t = t0 * 4u + first_row + i * EDGE + lane / 2u;
      for (var half = 0u; half < 2u; half++) {
        let column = lane % 2u * 8u + half * 4u;
        let k4 = k0 + (first_column + j * EDGE + column) / 4u;
        if (t < T4 * 4u && k4 < group_k4) {
          let from_stage = stage0 + lane / 2u * STAGE_STRIDE + column;
          part[group.z * params.slice_stride + t * K4 + first_k4 + k4] = vec4<f32>(
            stage[from_stage],
            stage[from_stage + 1u],
            stage[from_stage + 2u],
            stage[from_stage + 3u],
          );
        }
      }
      workgroupBarrier();
    }
  }
}
