// Convolution of stride 1 for images of few channels (grey, RGB): a network's first layer.
// Improves conv2d_shuffle where C is below 8: lanes hold neighbouring pixels instead of channels.
//
// A workgroup is one subgroup of 8 lanes. It computes TQ neighbouring output pixels of one row for
// 32 output channels, 4 a lane. Each load brings 8 pixels of the row, one a lane; a shuffle hands
// each of them to all lanes.
//   x    [N H W C]  read
//   w    [R S C K]  read, as vec4 along K; K a multiple of 4
//   bias [K]        read where params.has_bias
//   y    [N P Q K]  written, as vec4 along K
// Grid: (⌈K/32⌉, P·⌈Q/TQ⌉, N).
// Tunables: TQ pixels a workgroup, S the filter's width. Overrides: ACTIVATION, a number of
// lib/activation.wgsl.
// Limits: WebGPU's defaults, and the feature subgroups.
// @use lib/activation.wgsl
enable subgroups;

const TQ: u32 = 14u; // @tune
const S: u32 = 5u; // @tune
const GATHERS: u32 = (TQ + S - 1u + 7u) / 8u;

override ACTIVATION: u32 = 0u;

struct Params {
  x_shape: vec4<u32>,
  y_shape: vec4<u32>,
  pad: vec2<i32>,
  filter_rows: u32,
  has_bias: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

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
  let k = min(owned, K4 - 1u);

  var sum: array<vec4<f32>, TQ>;
  for (var r = 0u; r < params.filter_rows; r++) {
    let h = i32(p + r) - params.pad.x;
    if (h < 0 || h >= i32(H)) {
      continue;
    }
    for (var c = 0u; c < C; c++) {
      var row: array<f32, GATHERS>;
      for (var i = 0u; i < GATHERS; i++) {
        let column = i32(q0 + i * 8u + lane) - params.pad.y;
        let inside = column >= 0 && column < i32(W);
        let value = x[((n * H + u32(h)) * W + u32(clamp(column, 0, i32(W) - 1))) * C + c];
        row[i] = select(0.0, value, inside);
      }
      for (var s = 0u; s < S; s++) {
        let b = w[((r * S + s) * C + c) * K4 + k];
        for (var i = 0u; i < TQ; i++) {
          let a = subgroupShuffle(row[(i + s) / 8u], (i + s) % 8u);
          sum[i] = fma(vec4<f32>(a), b, sum[i]);
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
      let z = sum[i] + shift;
      y[((n * P + p) * Q + q0 + i) * K4 + k] = vec4<f32>(
        activate(z.x, ACTIVATION),
        activate(z.y, ACTIVATION),
        activate(z.z, ACTIVATION),
        activate(z.w, ACTIVATION),
      );
    }
  }
}
