// Gradient of a convolution's filter for images of few channels, for subgroups of 8 lanes.
// Improves conv2d_grad_weight_subgroup8 where C is below 8: lanes hold filter taps, not channels.
//
// The filter's R·S·C rows are numbered t. A workgroup is one subgroup of 8 lanes; it computes, for
// one slice of the N·P output rows, TT of these rows for 32 output channels (4 per lane). Each load
// brings the input numbers of 8 taps, one per lane; a shuffle hands each to all lanes.
//   x    [N H W C]    read
//   dy   [N P Q K]    read, as vec4 along K; K a multiple of 4
//   part [Z R S C K]  written, as vec4 along K: one partial sum per slice, added up by sum_slices
// Grid: (⌈K/32⌉, ⌈R·S·C/TT⌉, Z).
// Tunables: TT filter rows per workgroup.
// Limits: WebGPU's defaults, and the feature subgroups.
enable subgroups;

const TT: u32 = 13u; // @tune
const GATHERS: u32 = (TT + 7u) / 8u;

struct Params {
  x_shape: vec4<u32>,
  y_shape: vec4<u32>,
  filter_size: vec2<u32>,
  stride: vec2<u32>,
  pad: vec2<i32>,
  dilation: vec2<u32>,
  rows_per_slice: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> part: array<vec4<f32>>;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let N = params.x_shape.x;
  let H = params.x_shape.y;
  let W = params.x_shape.z;
  let C = params.x_shape.w;
  let P = params.y_shape.y;
  let Q = params.y_shape.z;
  let K4 = params.y_shape.w / 4u;
  let S = params.filter_size.y;
  let RSC = params.filter_size.x * S * C;

  let t0 = group.y * TT;
  let owned = group.x * 8u + lane;
  let k = min(owned, K4 - 1u);

  // The taps this lane loads: how far each lies from the output pixel, and its channel.
  var tap_h: array<i32, GATHERS>;
  var tap_w: array<i32, GATHERS>;
  var tap_c: array<u32, GATHERS>;
  for (var i = 0u; i < GATHERS; i++) {
    let t = min(t0 + i * 8u + lane, RSC - 1u);
    tap_c[i] = t % C;
    tap_w[i] = i32((t / C) % S * params.dilation.y) - params.pad.y;
    tap_h[i] = i32(t / (C * S) * params.dilation.x) - params.pad.x;
  }

  let first_row = group.z * params.rows_per_slice;
  let end_row = min(first_row + params.rows_per_slice, N * P);

  var sum: array<vec4<f32>, TT>;
  for (var row = first_row; row < end_row; row++) {
    let n = row / P;
    let p = i32(row % P * params.stride.x);
    for (var q = 0u; q < Q; q++) {
      var a: array<f32, GATHERS>;
      for (var i = 0u; i < GATHERS; i++) {
        let h = p + tap_h[i];
        let column = i32(q * params.stride.y) + tap_w[i];
        let inside = h >= 0 && h < i32(H) && column >= 0 && column < i32(W);
        let value = x[select(0u, ((n * H + u32(h)) * W + u32(column)) * C + tap_c[i], inside)];
        a[i] = select(0.0, value, inside);
      }
      let b = dy[(row * Q + q) * K4 + k];
      for (var i = 0u; i < TT; i++) {
        sum[i] = fma(vec4<f32>(subgroupShuffle(a[i / 8u], i % 8u)), b, sum[i]);
      }
    }
  }

  if (owned >= K4) {
    return;
  }
  for (var i = 0u; i < TT; i++) {
    if (t0 + i < RSC) {
      part[(group.z * RSC + t0 + i) * K4 + k] = sum[i];
    }
  }
}
