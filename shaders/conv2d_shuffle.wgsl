// Convolution of stride 1 in registers, for adapters whose subgroups have 8 lanes (llvmpipe).
// Improves conv2d_forward_naive: a number that is loaded is used TQ·S times before it is dropped.
//
// A workgroup is one subgroup of 8 lanes. It computes TQ neighbouring output pixels of one row for
// 32 output channels: each lane owns 4 of these channels, in TQ vec4 sums. The idea: gathering 8
// input channels costs no more than loading one (lane j holds channel c + j), and a shuffle then
// hands each of the 8 to all lanes, so that no workgroup memory and no barrier is needed.
//   x        [N H W C]  read; C a multiple of 8
//   w        [R S C K]  read, as vec4 along K; K a multiple of 4
//   bias     [K]        read where params.has_bias
//   residual [N P Q K]  read where params.has_residual, as vec4 along K
//   y        [N P Q K]  written, as vec4 along K
// The gradient of the input runs here too, with x = dy and w flipped by conv2d_flip_filter.
// Grid: (⌈K/32⌉, P·⌈Q/TQ⌉, N).
// Tunables: TQ pixels a workgroup, S the filter's width. Overrides: ACTIVATION, a number of
// lib/activation.wgsl; relu and relu6 come as params.clamp_range instead, so that a network's
// forward and backward passes share one pipeline.
// Limits: WebGPU's defaults, and the feature subgroups.
// @use lib/activation.wgsl
enable subgroups;

const TQ: u32 = 14u; // @tune
const S: u32 = 5u; // @tune
const HALO: u32 = TQ + S - 1u;

override ACTIVATION: u32 = 0u;

struct Params {
  x_shape: vec4<u32>,
  y_shape: vec4<u32>,
  pad: vec2<i32>,
  clamp_range: vec2<f32>,
  filter_rows: u32,
  has_bias: u32,
  is_clamped: u32,
  has_residual: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> residual: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let H = params.x_shape.y;
  let W = params.x_shape.z;
  let C = params.x_shape.w;
  let P = params.y_shape.y;
  let Q = params.y_shape.z;
  let K4 = params.y_shape.w / 4u;

  let tiles = (Q + TQ - 1u) / TQ;
  let n = group.z;
  let p = group.y / tiles;
  let q0 = (group.y % tiles) * TQ;
  let owned = group.x * 8u + lane;
  // Lanes past the last channel repeat it: they must stay, since they hold numbers of x.
  let k = min(owned, K4 - 1u);

  var sum: array<vec4<f32>, TQ>;
  for (var r = 0u; r < params.filter_rows; r++) {
    let h = i32(p + r) - params.pad.x;
    if (h < 0 || h >= i32(H)) {
      continue;
    }
    for (var c = 0u; c < C; c += 8u) {
      var row: array<f32, HALO>; // one channel a lane; columns outside the image stay 0
      for (var i = 0u; i < HALO; i++) {
        let column = i32(q0 + i) - params.pad.y;
        if (column >= 0 && column < i32(W)) {
          row[i] = x[((n * H + u32(h)) * W + u32(column)) * C + c + lane];
        }
      }
      for (var j = 0u; j < 8u; j++) {
        for (var s = 0u; s < S; s++) {
          let b = w[((r * S + s) * C + c + j) * K4 + k];
          for (var i = 0u; i < TQ; i++) {
            sum[i] = fma(vec4<f32>(subgroupShuffle(row[i + s], j)), b, sum[i]);
          }
        }
      }
    }
  }

  if (owned >= K4) {
    return;
  }
  var shift = vec4<f32>();
  if (params.has_bias != 0u) {
    shift = bias[k];
  }
  for (var i = 0u; i < TQ; i++) {
    if (q0 + i < Q) {
      let to = ((n * P + p) * Q + q0 + i) * K4 + k;
      var z = sum[i] + shift;
      if (params.has_residual != 0u) {
        z += residual[to];
      }
      y[to] = finish(z);
    }
  }
}

fn finish(z: vec4<f32>) -> vec4<f32> {
  if (ACTIVATION != 0u) {
    return vec4<f32>(
      activate(z.x, ACTIVATION),
      activate(z.y, ACTIVATION),
      activate(z.z, ACTIVATION),
      activate(z.w, ACTIVATION),
    );
  }
  let low = vec4<f32>(params.clamp_range.x);
  let high = vec4<f32>(params.clamp_range.y);
  // clamp may swallow a NaN, which training must see.
  let is_nan = (bitcast<vec4<u32>>(z) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
  let is_clamped = vec4<bool>(params.is_clamped != 0u) & !is_nan;
  return select(z, clamp(z, low, high), is_clamped);
}
