// Convolution as a matmul on the matrix units of a GPU ("tensor cores").
// Improves conv2d_forward_tiled_vec4, with the same product and the same walk over it; but the inner sums are
// made by subgroups, which multiply 16×16 matrices of f16 and add them up in f32.
//
// A workgroup of 128 is four subgroups of 32, as 2×2: together they compute BM pixels × BN channels,
// each a quarter, kept in matrices of 16×16 sums. Rows of the tiles in workgroup memory are padded
// by 8 numbers, so that the rows of a matrix lie in different banks. At the end the sums pass through
// workgroup memory, where every invocation can add the bias, apply the activation and drop what
// lies past the edges.
//   x        [N H W C]         read, f16 as vec4 along C; C/groups a multiple of 4
//   w        [R S C/groups K]  read, f16 as vec4 along K; K/groups a multiple of 4
//   bias     [K]               read where HAS_BIAS
//   residual [N P Q K]         read where HAS_RESIDUAL, f32 as vec4 along K
//   y        [N P Q K]         written, f32 as vec4 along K
// The product has a row for each computed pixel: pixel (i, j) of an image's outputs.x × outputs.y is
// written at first + (i, j)·step. All pixels of y, or, for a gradient with stride, every few.
// Grid: (tiles of M = N·outputs folded into x and y, groups·⌈K/groups/BN⌉).
// Tunables: the tile.
// Overrides: HAS_BIAS, HAS_RESIDUAL; ACTIVATION, a number of lib/activation.wgsl.
// Limits: WebGPU's defaults (tiles of 128×128 want 24,064 bytes of workgroup memory); the features
// shader-f16, subgroups (of 32) and chromium-experimental-subgroup-matrix, with f16 matrices of
// 16×16×16 and results of f32.
// @use lib/activation.wgsl
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
const X_STRIDE: u32 = BK + 8u;
const W_STRIDE: u32 = BN + 8u;
const STAGE_STRIDE: u32 = EDGE + 4u;
const BK4: u32 = BK / 4u;
const BN4: u32 = BN / 4u;
const X_LOADS: u32 = BM * BK4 / THREADS;
const W_LOADS: u32 = BK * BN4 / THREADS;
const_assert BM % 32u == 0u && BN % 32u == 0u && BK % EDGE == 0u;
const_assert THREADS % BK4 == 0u && BM * BK4 % THREADS == 0u;
const_assert THREADS % BN4 == 0u && BK * BN4 % THREADS == 0u;

alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sums = subgroup_matrix_result<f32, 16, 16>;

override HAS_BIAS: bool = false;
override HAS_RESIDUAL: bool = false;
override ACTIVATION: u32 = 0u;

struct Params {
  x_shape: vec4<u32>,
  y_shape: vec4<u32>,
  filter_size: vec2<u32>,
  stride: vec2<u32>,
  pad: vec2<i32>,
  dilation: vec2<u32>,
  outputs: vec2<u32>,
  first: vec2<u32>,
  step: vec2<u32>,
  groups: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f16>>;
@group(0) @binding(2) var<storage, read> w: array<vec4<f16>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> residual: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;

var<workgroup> x_tile: array<f16, BM * X_STRIDE>;
var<workgroup> w_tile: array<f16, BK * W_STRIDE>;
var<workgroup> stage: array<f32, 4u * EDGE * STAGE_STRIDE>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
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
  let group_c = params.x_shape.w / params.groups;
  let group_k4 = K4 / params.groups;
  let S = params.filter_size.y;
  let T = params.filter_size.x * S * group_c;
  let rows = params.outputs.x;
  let columns = params.outputs.y;
  let M = params.x_shape.x * rows * columns;

  let m0 = (group.y * groups.x + group.x) * BM;
  if (m0 >= M) {
    return;
  }
  let column_tiles = (group_k4 + BN4 - 1u) / BN4;
  let filter_group = group.z / column_tiles;
  let k0 = (group.z % column_tiles) * BN4;
  let first_c4 = filter_group * (group_c / 4u);
  let first_k4 = filter_group * group_k4;

  let x_row = local / BK4;
  let x_column = local % BK4;
  let w_row = local / BN4;
  let w_column = local % BN4;
  let has_w_column = k0 + w_column < group_k4;
  let first_row = subgroup / 2u * (BM / 2u);
  let first_column = subgroup % 2u * (BN / 2u);

  var sums: array<array<Sums, MATRIX_COLUMNS>, MATRIX_ROWS>;

  for (var t0 = 0u; t0 < T; t0 += BK) {
    let t = t0 + x_column * 4u;
    let tap = vec2<u32>(t / group_c / S, t / group_c % S);
    let c4 = first_c4 + t % group_c / 4u;
    for (var i = 0u; i < X_LOADS; i++) {
      let tile_row = x_row + i * (THREADS / BK4);
      let m = m0 + tile_row;
      let pixel = vec2<u32>(m / columns % rows, m % columns);
      // As unsigned numbers, those left of or above the image are too large as well.
      let at = vec2<u32>(vec2<i32>(pixel * params.stride + tap * params.dilation) - params.pad);
      var value = vec4<f16>();
      if (t < T && m < M && at.x < H && at.y < W) {
        value = x[((m / (rows * columns) * H + at.x) * W + at.y) * C4 + c4];
      }
      let to = tile_row * X_STRIDE + x_column * 4u;
      x_tile[to] = value.x;
      x_tile[to + 1u] = value.y;
      x_tile[to + 2u] = value.z;
      x_tile[to + 3u] = value.w;
    }
    for (var i = 0u; i < W_LOADS; i++) {
      let tile_row = w_row + i * (THREADS / BN4);
      var value = vec4<f16>();
      if (has_w_column && t0 + tile_row < T) {
        value = w[(t0 + tile_row) * K4 + first_k4 + k0 + w_column];
      }
      let to = tile_row * W_STRIDE + w_column * 4u;
      w_tile[to] = value.x;
      w_tile[to + 1u] = value.y;
      w_tile[to + 2u] = value.z;
      w_tile[to + 3u] = value.w;
    }
    workgroupBarrier();

    for (var depth = 0u; depth < BK; depth += EDGE) {
      var right: array<Right, MATRIX_COLUMNS>;
      for (var j = 0u; j < MATRIX_COLUMNS; j++) {
        let from_w = depth * W_STRIDE + first_column + j * EDGE;
        right[j] = subgroupMatrixLoad<Right, row_major>(&w_tile, from_w, W_STRIDE);
      }
      for (var i = 0u; i < MATRIX_ROWS; i++) {
        let from_x = (first_row + i * EDGE) * X_STRIDE + depth;
        let left = subgroupMatrixLoad<Left, row_major>(&x_tile, from_x, X_STRIDE);
        for (var j = 0u; j < MATRIX_COLUMNS; j++) {
          sums[i][j] = subgroupMatrixMultiplyAccumulate(left, right[j], sums[i][j]);
        }
      }
    }
    workgroupBarrier();
  }

  // Of each matrix a lane finishes eight neighbours of one row.
  let stage0 = subgroup * EDGE * STAGE_STRIDE;
  for (var i = 0u; i < MATRIX_ROWS; i++) {
    for (var j = 0u; j < MATRIX_COLUMNS; j++) {
      subgroupMatrixStore<row_major>(&stage, stage0, sums[i][j], STAGE_STRIDE);
      workgroupBarrier();
      let m = m0 + first_row + i * EDGE + lane / 2u;
      let pixel = params.first + vec2<u32>(m / columns % rows, m % columns) * params.step;
      let to = ((m / (rows * columns) * P + pixel.x) * Q + pixel.y) * K4 + first_k4;
      for (var half = 0u; half < 2u; half++) {
        let column = lane % 2u * 8u + half * 4u;
        let k4 = k0 + (first_column + j * EDGE + column) / 4u;
        if (m < M && k4 < group_k4) {
          let from_stage = stage0 + lane / 2u * STAGE_STRIDE + column;
          var z = vec4<f32>(
            stage[from_stage],
            stage[from_stage + 1u],
            stage[from_stage + 2u],
            stage[from_stage + 3u],
          );
          if (HAS_BIAS) {
            z += bias[first_k4 + k4];
          }
          if (HAS_RESIDUAL) {
            z += residual[to + k4];
          }
          y[to + k4] = vec4<f32>(
            activate(z.x, ACTIVATION),
            activate(z.y, ACTIVATION),
            activate(z.z, ACTIVATION),
            activate(z.w, ACTIVATION),
          );
        }
      }
      workgroupBarrier();
    }
  }
}
