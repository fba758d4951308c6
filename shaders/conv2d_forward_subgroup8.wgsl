// Convolution in registers, for adapters whose subgroups have 8 lanes (llvmpipe).
// Improves conv2d_forward_naive: a number of x serves S·32 products, a number of w serves TP·TQ.
//
// A workgroup is one subgroup of 8 lanes. It computes TQ neighbouring columns of TP successive
// output rows for 32 output channels: each lane owns 4 of these channels, in TP·TQ vec4 sums. Rows
// are counted through all images, so that small images fill a tile together. The idea: gathering 8
// input channels costs no more than loading one (lane j holds channel c + j), and a shuffle then
// hands each of the 8 to all lanes, so that no workgroup memory and no barrier is needed.
//   x        [N H W C]  read; C a multiple of 8
//   w        [R S C K]  read, as vec4 along K; K a multiple of 4
//   bias     [K]        read where params.has_bias
//   residual [N P Q K]  read where params.has_residual, as vec4 along K
//   y        [N P Q K]  written, likewise: rows first, first + step, … and columns likewise
// The gradient of the input runs here too, with x = dy and w flipped by conv2d_flip_filter, once
// for each residue of the stride (src/kernels/conv2d/phases.ts), which is why y has steps.
// Grid: (⌈K/32⌉, ⌈outputs.y/TQ⌉, ⌈N·outputs.x/TP⌉).
// Tunables: TP rows and TQ columns a workgroup; S, the filter's width; STEP and DILATION, by how
// many loaded columns neighbouring outputs and neighbouring taps lie apart. Every column_gap-th
// column is loaded: with stride and dilation 2 every other.
// Overrides: ACTIVATION, a number of lib/activation.wgsl; relu and relu6 come as params.clamp_range
// instead, so that a network's forward and backward passes share one pipeline.
// Limits: WebGPU's defaults, and the feature subgroups.
// @use lib/activation.wgsl
enable subgroups;

const TP: u32 = 2u; // @tune
const TQ: u32 = 8u; // @tune
const S: u32 = 3u; // @tune
const STEP: u32 = 1u; // @tune
const DILATION: u32 = 1u; // @tune
const HALO: u32 = (TQ - 1u) * STEP + (S - 1u) * DILATION + 1u;

override ACTIVATION: u32 = 0u;

struct Params {
  x_shape: vec4<u32>,
  y_shape: vec4<u32>,
  outputs: vec2<u32>, // rows and columns that are computed
  first: vec2<u32>,
  step: vec2<u32>,
  stride: vec2<u32>,
  pad: vec2<i32>,
  clamp_range: vec2<f32>,
  column_gap: u32,
  row_dilation: u32,
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
  let K4 = params.y_shape.w / 4u;
  let rows = params.x_shape.x * params.outputs.x;

  let q0 = group.y * TQ;
  let first_row = group.z * TP;
  let owned = group.x * 8u + lane;
  // Lanes past the last channel repeat it: they must stay, since they hold numbers of x.
  let k = min(owned, K4 - 1u);

  // What lies outside the image is 0: selected, since its index would be another pixel's.
  let left = i32(q0 * params.stride.y) - params.pad.y;
  var is_inside: array<bool, HALO>;
  for (var i = 0u; i < HALO; i++) {
    let column = left + i32(i * params.column_gap);
    is_inside[i] = column >= 0 && column < i32(W);
  }

  var sum: array<array<vec4<f32>, TQ>, TP>;
  for (var r = 0u; r < params.filter_rows; r++) {
    var start: array<u32, TP>;
    var has_row: array<bool, TP>;
    for (var t = 0u; t < TP; t++) {
      let n = (first_row + t) / params.outputs.x;
      let p = (first_row + t) % params.outputs.x;
      let h = i32(p * params.stride.x + r * params.row_dilation) - params.pad.x;
      has_row[t] = h >= 0 && h < i32(H) && first_row + t < rows;
      start[t] = ((n * H + u32(h)) * W + u32(left)) * C + lane;
    }
    for (var c = 0u; c < C; c += 8u) {
      var row: array<array<f32, HALO>, TP>; // one channel a lane
      for (var t = 0u; t < TP; t++) {
        for (var i = 0u; i < HALO; i++) {
          let value = x[start[t] + i * params.column_gap * C + c];
          row[t][i] = select(0.0, value, has_row[t] && is_inside[i]);
        }
      }
      for (var j = 0u; j < 8u; j++) {
        for (var s = 0u; s < S; s++) {
          let b = w[((r * S + s) * C + c + j) * K4 + k];
          for (var t = 0u; t < TP; t++) {
            for (var i = 0u; i < TQ; i++) {
              let a = subgroupShuffle(row[t][i * STEP + s * DILATION], j);
              sum[t][i] = fma(vec4<f32>(a), b, sum[t][i]);
            }
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
  // Loops that end at the border: conditions in unrolled ones took llvmpipe up to a tenth longer.
  var results = sum;
  let own_rows = min(TP, rows - first_row);
  let own_columns = min(TQ, params.outputs.y - q0);
  for (var t = 0u; t < own_rows; t++) {
    let n = (first_row + t) / params.outputs.x;
    let p = (first_row + t) % params.outputs.x * params.step.x + params.first.x;
    for (var i = 0u; i < own_columns; i++) {
      let q = (q0 + i) * params.step.y + params.first.y;
      let to = ((n * params.y_shape.y + p) * params.y_shape.z + q) * K4 + k;
      var z = results[t][i] + shift;
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
