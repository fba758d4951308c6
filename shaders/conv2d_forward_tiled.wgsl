// Convolution as a matmul that is never laid out in memory, for any number of channels.
// The algorithm and its words are those of conv2d_forward_tiled_vec4, which is faster and which needs
// channels in fours; here every number is fetched by itself, and a vector of the x tile may
// hold channels of several taps (an RGB image's 7×7 filter has T = 147 rows).
//
// A workgroup computes BM pixels × BN channels of one group; an invocation TM×TN of them.
//   x        [N H W C]         read
//   w        [R S C/groups K]  read
//   bias     [K]               read where HAS_BIAS
//   residual [N P Q K]         read where HAS_RESIDUAL
//   y        [N P Q K]         written, at rows first + step·p, and columns likewise
// Grid: (tiles of M folded into x and y, groups·⌈K/groups/BN⌉).
// Tunables: the tile; XElem and WElem, f32 or f16 (sums are f32 in either case).
// Overrides: HAS_BIAS, HAS_RESIDUAL; ACTIVATION, a number of lib/activation.wgsl.
// Limits: WebGPU's defaults.
// @use lib/activation.wgsl

const BM: u32 = 64u; // @tune
const BN: u32 = 64u; // @tune
const BK: u32 = 16u; // @tune
const TM: u32 = 8u; // @tune
const TN: u32 = 4u; // @tune
alias XElem = f32; // @tune
alias WElem = f32; // @tune

const ROWS: u32 = BM / TM;
const COLUMNS: u32 = BN / TN;
const THREADS: u32 = ROWS * COLUMNS;
const TN4: u32 = TN / 4u;
const BN4: u32 = BN / 4u;
const BK4: u32 = BK / 4u;
const X_LOADS: u32 = BM * BK4 / THREADS;
const W_LOADS: u32 = BK * BN4 / THREADS;
const_assert THREADS % BK4 == 0u && BM * BK4 % THREADS == 0u;
const_assert THREADS % BN4 == 0u && BK * BN4 % THREADS == 0u;

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
  outputs: vec2<u32>, // rows and columns computed
  first: vec2<u32>,
  step: vec2<u32>,
  groups: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<XElem>;
@group(0) @binding(2) var<storage, read> w: array<WElem>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> residual: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

var<workgroup> x_tile: array<vec4<f32>, BM * BK4>;
var<workgroup> w_tile: array<vec4<f32>, BK * BN4>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let H = params.x_shape.y;
  let W = params.x_shape.z;
  let C = params.x_shape.w;
  let K = params.y_shape.w;
  let group_c = C / params.groups;
  let group_k = K / params.groups;
  let R = params.filter_size.x;
  let S = params.filter_size.y;
  let T = R * S * group_c;
  let M = params.x_shape.x * params.outputs.x * params.outputs.y;

  let m0 = (group.y * groups.x + group.x) * BM;
  if (m0 >= M) {
    return;
  }
  let column_tiles = (group_k + BN - 1u) / BN;
  let filter_group = group.z / column_tiles;
  let k0 = (group.z % column_tiles) * BN;
  let first_c = filter_group * group_c;
  let first_k = filter_group * group_k;

  // What this invocation fetches of x: 4 filter rows at X_LOADS pixels of the tile.
  let x_row = local / BK4;
  let x_column = local % BK4;
  var image: array<u32, X_LOADS>;
  var corner: array<vec2<i32>, X_LOADS>; // where tap (0, 0) of the pixel lies
  for (var i = 0u; i < X_LOADS; i++) {
    let m = m0 + x_row + i * (THREADS / BK4);
    let pixel = vec2<u32>(m / params.outputs.y % params.outputs.x, m % params.outputs.y);
    image[i] = m / (params.outputs.x * params.outputs.y) * H * W;
    corner[i] = vec2<i32>(pixel * params.stride) - params.pad;
    // Rows past the last pixel lie below every image.
    corner[i].x = select(corner[i].x, 0x40000000, m >= M);
  }
  let w_row = local / BN4;
  let w_column = local % BN4;

  let row = local / COLUMNS;
  let column = local % COLUMNS;
  var sum: array<array<vec4<f32>, TN4>, TM>;

  for (var t0 = 0u; t0 < T; t0 += BK) {
    var offset: array<vec2<i32>, 4>; // of each filter row's tap
    var channel: array<u32, 4>;
    for (var j = 0u; j < 4u; j++) {
      let t = t0 + x_column * 4u + j;
      let tap = t / group_c;
      channel[j] = first_c + t % group_c;
      offset[j] = vec2<i32>(vec2<u32>(tap / S, tap % S) * params.dilation);
      // Rows past the last tap lie below every image.
      offset[j].x = select(offset[j].x, 0x40000000, t >= T);
    }
    for (var i = 0u; i < X_LOADS; i++) {
      var value = vec4<f32>();
      for (var j = 0u; j < 4u; j++) {
        // As unsigned numbers, those left of or above the image are too large as well.
        let at = vec2<u32>(corner[i] + offset[j]);
        if (at.x < H && at.y < W) {
          value[j] = f32(x[(image[i] + at.x * W + at.y) * C + channel[j]]);
        }
      }
      x_tile[(x_row + i * (THREADS / BK4)) * BK4 + x_column] = value;
    }
    for (var i = 0u; i < W_LOADS; i++) {
      let tile_row = w_row + i * (THREADS / BN4);
      var value = vec4<f32>();
      for (var j = 0u; j < 4u; j++) {
        let k = k0 + w_column * 4u + j;
        if (k < group_k && t0 + tile_row < T) {
          value[j] = f32(w[(t0 + tile_row) * K + first_k + k]);
        }
      }
      w_tile[tile_row * BN4 + w_column] = value;
    }
    workgroupBarrier();

    for (var t4 = 0u; t4 < BK4; t4++) {
      var b: array<array<vec4<f32>, TN4>, 4>;
      for (var j = 0u; j < 4u; j++) {
        for (var v = 0u; v < TN4; v++) {
          b[j][v] = w_tile[(t4 * 4u + j) * BN4 + column + v * COLUMNS];
        }
      }
      for (var i = 0u; i < TM; i++) {
        let a = x_tile[(row + i * ROWS) * BK4 + t4];
        for (var v = 0u; v < TN4; v++) {
          sum[i][v] = fma(vec4<f32>(a.x), b[0][v], sum[i][v]);
          sum[i][v] = fma(vec4<f32>(a.y), b[1][v], sum[i][v]);
          sum[i][v] = fma(vec4<f32>(a.z), b[2][v], sum[i][v]);
          sum[i][v] = fma(vec4<f32>(a.w), b[3][v], sum[i][v]);
        }
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < TM; i++) {
    let m = m0 + row + i * ROWS;
    if (m >= M) {
      continue;
    }
    let pixel = vec2<u32>(m / params.outputs.y % params.outputs.x, m % params.outputs.y);
    let at = params.first + pixel * params.step;
    let n = m / (params.outputs.x * params.outputs.y);
    let y_row = ((n * params.y_shape.y + at.x) * params.y_shape.z + at.y) * K + first_k;
    for (var v = 0u; v < TN4; v++) {
      for (var j = 0u; j < 4u; j++) {
        let k = k0 + (column + v * COLUMNS) * 4u + j;
        if (k < group_k) {
          var z = sum[i][v][j];
          if (HAS_BIAS) {
            z += bias[first_k + k];
          }
          if (HAS_RESIDUAL) {
            z += residual[y_row + k];
          }
          y[y_row + k] = activate(z, ACTIVATION);
        }
      }
    }
  }
}
