// Convolution of images of few channels (grey, RGB): a network's first layer.
// Improves conv2d_forward_subgroup8 where C is below 8: lanes hold neighbouring pixels instead of channels.
//
// A workgroup is one subgroup of 8 lanes. It computes TQ neighbouring columns of TP successive
// output rows, counted through all images, for 32 output channels, 4 per lane. Each load brings 8
// pixels of a row, one per lane; a shuffle hands each of them to all lanes.
//   x    [N H W C]  read
//   w    [R S C K]  read, as vec4 along K; K a multiple of 4
//   bias [K]        read where params.has_bias
//   y    [N P Q K]  written, as vec4 along K
// Grid: (⌈K/32⌉, ⌈Q/TQ⌉, ⌈N·P/TP⌉).
// Tunables: TP rows and TQ columns a workgroup; S, the filter's width; STEP and DILATION, by how
// many loaded columns neighbouring outputs and neighbouring taps lie apart (every column_gap-th
// column is loaded). Overrides: ACTIVATION, a number of lib/activation.wgsl.
// Limits: WebGPU's defaults, and the feature subgroups.
// @use lib/activation.wgsl
enable subgroups;

const TP: u32 = 2u; // @tune
const TQ: u32 = 8u; // @tune
const S: u32 = 5u; // @tune
const STEP: u32 = 1u; // @tune
const DILATION: u32 = 1u; // @tune
const HALO: u32 = (TQ - 1u) * STEP + (S - 1u) * DILATION + 1u;
const GATHERS: u32 = (HALO + 7u) / 8u;

override ACTIVATION: u32 = 0u;

struct Params {
  x_shape: vec4<u32>,
  y_shape: vec4<u32>,
  stride: vec2<u32>,
  pad: vec2<i32>,
  column_gap: u32,
  row_dilation: u32,
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

  let rows = params.x_shape.x * P;
  let q0 = group.y * TQ;
  let first_row = group.z * TP;
  let owned = group.x * 8u + lane;
  let k = min(owned, K4 - 1u);
  let left = i32(q0 * params.stride.y) - params.pad.y;

  var sum: array<array<vec4<f32>, TQ>, TP>;
  for (var r = 0u; r < params.filter_rows; r++) {
    var start: array<u32, TP>;
    var has_row: array<bool, TP>;
    for (var t = 0u; t < TP; t++) {
      let n = (first_row + t) / P;
      let p = (first_row + t) % P;
      let h = i32(p * params.stride.x + r * params.row_dilation) - params.pad.x;
      has_row[t] = h >= 0 && h < i32(H) && first_row + t < rows;
      start[t] = (n * H + u32(h)) * W;
    }
    for (var c = 0u; c < C; c++) {
      var row: array<array<f32, GATHERS>, TP>;
      for (var i = 0u; i < GATHERS; i++) {
        let column = left + i32((i * 8u + lane) * params.column_gap);
        let is_inside = column >= 0 && column < i32(W);
        for (var t = 0u; t < TP; t++) {
          let value = x[(start[t] + u32(column)) * C + c];
          row[t][i] = select(0.0, value, has_row[t] && is_inside);
        }
      }
      for (var s = 0u; s < S; s++) {
        let b = w[((r * S + s) * C + c) * K4 + k];
        for (var t = 0u; t < TP; t++) {
          for (var i = 0u; i < TQ; i++) {
            let at = i * STEP + s * DILATION;
            let a = subgroupShuffle(row[t][at / 8u], at % 8u);
            sum[t][i] = fma(vec4<f32>(a), b, sum[t][i]);
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
  for (var t = 0u; t < TP; t++) {
    for (var i = 0u; i < TQ; i++) {
      if (first_row + t < rows && q0 + i < Q) {
        let z = sum[t][i] + shift;
        y[((first_row + t) * Q + q0 + i) * K4 + k] = vec4<f32>(
          activate(z.x, ACTIVATION),
          activate(z.y, ACTIVATION),
          activate(z.z, ACTIVATION),
          activate(z.w, ACTIVATION),
        );
      }
    }
  }
}
