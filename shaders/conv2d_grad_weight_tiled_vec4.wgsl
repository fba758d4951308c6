// Gradient of a convolution's filter as a matmul that is never laid out in memory.
// Improves conv2d_grad_weight_naive: a number that is loaded serves a whole tile of weights, and
// the sum over pixels, far longer than the result is large, is cut into slices.
//
// The product: T = R·S·C filter rows, by K channels, over N·P·Q pixels, all of one group. A
// workgroup computes BM rows × BN channels for one slice of the pixels. It walks over them in steps
// of BK: all invocations fetch, for BK pixels, what BM filter rows saw of x (zeros beside the
// image) and BN channels of dy into workgroup memory; then each adds to its TM×TN sums.
//   x    [N H W C]            read, as vec4 along C; C/groups a multiple of 4
//   dy   [N P Q K]            read, as vec4 along K; K/groups a multiple of 4
//   part [Z R S C/groups K]   written, as vec4 along K: one partial sum per slice, for sum_slices
// Grid: (⌈T/BM⌉, groups·⌈K/groups/BN⌉, Z).
// Tunables: the tile; XElem, f32 or f16 (sums are f32 in either case).
// Limits: WebGPU's defaults.

const BM: u32 = 64u; // @tune
const BN: u32 = 64u; // @tune
const BK: u32 = 16u; // @tune
const TM: u32 = 8u; // @tune
const TN: u32 = 4u; // @tune
alias XElem = f32; // @tune

const ROWS: u32 = BM / TM;
const COLUMNS: u32 = BN / TN;
const THREADS: u32 = ROWS * COLUMNS;
const TM4: u32 = TM / 4u;
const TN4: u32 = TN / 4u;
const BM4: u32 = BM / 4u;
const BN4: u32 = BN / 4u;
const X_LOADS: u32 = BK * BM4 / THREADS;
const DY_LOADS: u32 = BK * BN4 / THREADS;
const_assert THREADS % BM4 == 0u && BK * BM4 % THREADS == 0u;
const_assert THREADS % BN4 == 0u && BK * BN4 % THREADS == 0u;

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
@group(0) @binding(1) var<storage, read> x: array<vec4<XElem>>;
@group(0) @binding(2) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> part: array<vec4<f32>>;

var<workgroup> x_tile: array<vec4<f32>, BK * BM4>;
var<workgroup> dy_tile: array<vec4<f32>, BK * BN4>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
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
  let row = local / COLUMNS;
  let column = local % COLUMNS;
  var sum: array<array<vec4<f32>, TN4>, TM>;

  for (var m0 = first_pixel; m0 < end_pixel; m0 += BK) {
    for (var i = 0u; i < X_LOADS; i++) {
      let tile_row = x_row + i * (THREADS / BM4);
      let m = m0 + tile_row;
      let pixel = vec2<u32>(m / Q % P, m % Q);
      // As unsigned numbers, those left of or above the image are too large as well.
      let at = vec2<u32>(vec2<i32>(pixel * params.stride) + offset);
      var value = vec4<f32>();
      if (t4 < T4 && m < end_pixel && at.x < H && at.y < W) {
        value = vec4<f32>(x[((m / (P * Q) * H + at.x) * W + at.y) * C4 + channel4]);
      }
      x_tile[tile_row * BM4 + x_column] = value;
    }
    for (var i = 0u; i < DY_LOADS; i++) {
      let tile_row = dy_row + i * (THREADS / BN4);
      var value = vec4<f32>();
      if (has_dy_column && m0 + tile_row < end_pixel) {
        value = dy[(m0 + tile_row) * K4 + first_k4 + k0 + dy_column];
      }
      dy_tile[tile_row * BN4 + dy_column] = value;
    }
    workgroupBarrier();

    for (var m = 0u; m < BK; m++) {
      for (var u = 0u; u < TM4; u++) {
        let a = x_tile[m * BM4 + row + u * ROWS];
        for (var v = 0u; v < TN4; v++) {
          let b = dy_tile[m * BN4 + column + v * COLUMNS];
          sum[u * 4u][v] = fma(vec4<f32>(a.x), b, sum[u * 4u][v]);
          sum[u * 4u + 1u][v] = fma(vec4<f32>(a.y), b, sum[u * 4u + 1u][v]);
          sum[u * 4u + 2u][v] = fma(vec4<f32>(a.z), b, sum[u * 4u + 2u][v]);
          sum[u * 4u + 3u][v] = fma(vec4<f32>(a.w), b, sum[u * 4u + 3u][v]);
        }
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < TM; i++) {
    let t_vector = t0 + row + i / 4u * ROWS;
    for (var v = 0u; v < TN4; v++) {
      let k4 = k0 + column + v * COLUMNS;
      if (t_vector < T4 && k4 < group_k4) {
        let t = t_vector * 4u + i % 4u;
        part[group.z * params.slice_stride + t * K4 + first_k4 + k4] = sum[i][v];
      }
    }
  }
}
