// Gradient of a convolution's filter as a matmul, for any number of channels.
// The algorithm and its words are those of conv2d_grad_weight_tiled_vec4, which is faster and
// which needs channels in fours; here every number is fetched by itself, and a vector of the x tile
// may hold channels of several taps.
//
// A workgroup computes BM filter rows × BN channels of one group for one slice of the pixels; an
// invocation TM×TN of them.
//   x    [N H W C]                read
//   dy   [N P Q K]                read
//   part [Z][R S C/groups K]      written: one partial sum per slice, for sum_slices
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
  slice_stride: u32, // numbers of part from one slice to the next
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<XElem>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> part: array<f32>;

var<workgroup> x_tile: array<vec4<f32>, BK * BM4>;
var<workgroup> dy_tile: array<vec4<f32>, BK * BN4>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let H = params.x_shape.y;
  let W = params.x_shape.z;
  let C = params.x_shape.w;
  let P = params.y_shape.y;
  let Q = params.y_shape.z;
  let K = params.y_shape.w;
  let group_c = C / params.groups;
  let group_k = K / params.groups;
  let S = params.filter_size.y;
  let T = params.filter_size.x * S * group_c;

  let t0 = group.x * BM;
  let column_tiles = (group_k + BN - 1u) / BN;
  let filter_group = group.y / column_tiles;
  let k0 = (group.y % column_tiles) * BN;
  let first_k = filter_group * group_k;

  // This invocation fetches always the same 4 filter rows of x.
  let x_row = local / BM4;
  let x_column = local % BM4;
  var offset: array<vec2<i32>, 4>; // of each filter row's tap
  var channel: array<u32, 4>;
  for (var j = 0u; j < 4u; j++) {
    let t = t0 + x_column * 4u + j;
    let tap = t / group_c;
    channel[j] = filter_group * group_c + t % group_c;
    offset[j] = vec2<i32>(vec2<u32>(tap / S, tap % S) * params.dilation) - params.pad;
    // Rows past the last tap lie below every image.
    offset[j].x = select(offset[j].x, 0x40000000, t >= T);
  }
  let dy_row = local / BN4;
  let dy_column = local % BN4;

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
      var value = vec4<f32>();
      for (var j = 0u; j < 4u; j++) {
        // As unsigned numbers, those left of or above the image are too large as well.
        let at = vec2<u32>(vec2<i32>(pixel * params.stride) + offset[j]);
        if (m < end_pixel && at.x < H && at.y < W) {
          value[j] = f32(x[((m / (P * Q) * H + at.x) * W + at.y) * C + channel[j]]);
        }
      }
      x_tile[tile_row * BM4 + x_column] = value;
    }
    for (var i = 0u; i < DY_LOADS; i++) {
      let tile_row = dy_row + i * (THREADS / BN4);
      var value = vec4<f32>();
      for (var j = 0u; j < 4u; j++) {
        let k = k0 + dy_column * 4u + j;
        if (k < group_k && m0 + tile_row < end_pixel) {
          value[j] = dy[(m0 + tile_row) * K + first_k + k];
        }
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
    let t = t0 + (row + i / 4u * ROWS) * 4u + i % 4u;
    if (t >= T) {
      continue;
    }
    for (var v = 0u; v < TN4; v++) {
      for (var j = 0u; j < 4u; j++) {
        let k = k0 + (column + v * COLUMNS) * 4u + j;
        if (k < group_k) {
          part[group.z * params.slice_stride + t * K + first_k + k] = sum[i][v][j];
        }
      }
    }
  }
}
