// Gradient of a convolution's filter, for adapters whose subgroups have 8 lanes.
// Improves conv2d_grad_weight_naive: the long sum over images and rows is cut into slices, and
// each loaded dy serves 8·TC input channels at TS filter taps.
//
// A workgroup is one subgroup of 8 lanes. It computes, for one slice of the N·P output rows, the
// weights of filter row r at TS neighbouring taps, 8·TC input channels and 32 output channels
// (4 per lane). It walks along each row with the input columns of its taps in registers: lane j holds
// channels c0 + j, c0 + 8 + j, …, and a shuffle hands each to all lanes.
//   x    [N H W C]    read
//   dy   [N P Q K]    read, as vec4 along K; K a multiple of 4
//   part [Z R S C K]  written, as vec4 along K: one partial sum per slice, added up by sum_slices
// Grid: (⌈K/32⌉, R·⌈S/TS⌉·⌈C/(8·TC)⌉, Z).
// Tunables: TS filter columns and TC times 8 input channels a workgroup; SHIFT, by how many taps the
// columns move on from one output to the next: stride/dilation where that is whole and below TS, or
// else TS, and all are loaded anew.
// Limits: WebGPU's defaults, and the feature subgroups.
enable subgroups;

const TS: u32 = 3u; // @tune
const TC: u32 = 1u; // @tune
const SHIFT: u32 = 1u; // @tune

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
  let R = params.filter_size.x;
  let S = params.filter_size.y;

  let channel_blocks = (C + 8u * TC - 1u) / (8u * TC);
  let tap_blocks = (S + TS - 1u) / TS;
  let c0 = (group.y % channel_blocks) * 8u * TC;
  let r = group.y / (channel_blocks * tap_blocks);
  let s0 = (group.y / channel_blocks) % tap_blocks * TS;
  let owned = group.x * 8u + lane;
  let k = min(owned, K4 - 1u);

  let first_row = group.z * params.rows_per_slice;
  let end_row = min(first_row + params.rows_per_slice, N * P);

  var sum: array<array<array<vec4<f32>, 8>, TC>, TS>;
  for (var row = first_row; row < end_row; row++) {
    let n = row / P;
    let h = i32(row % P * params.stride.x + r * params.dilation.x) - params.pad.x;
    if (h < 0 || h >= i32(H)) {
      continue;
    }
    let x_row = (n * H + u32(h)) * W;
    // One channel a lane at each tap; before the first output those that it will find moved on.
    var window: array<array<f32, TC>, TS>;
    for (var s = SHIFT; s < TS; s++) {
      let column = i32((s0 + s) * params.dilation.y) - params.pad.y - i32(params.stride.y);
      for (var b = 0u; b < TC; b++) {
        // Lanes past the last channel repeat it; what they hold is never written.
        let c = min(c0 + b * 8u + lane, C - 1u);
        let value = x[(x_row + u32(clamp(column, 0, i32(W) - 1))) * C + c];
        window[s][b] = select(0.0, value, column >= 0 && column < i32(W));
      }
    }
    for (var q = 0u; q < Q; q++) {
      for (var s = 0u; s < TS; s++) {
        if (s + SHIFT < TS) {
          window[s] = window[min(s + SHIFT, TS - 1u)];
          continue;
        }
        let column = i32(q * params.stride.y + (s0 + s) * params.dilation.y) - params.pad.y;
        for (var b = 0u; b < TC; b++) {
          let c = min(c0 + b * 8u + lane, C - 1u);
          let value = x[(x_row + u32(clamp(column, 0, i32(W) - 1))) * C + c];
          window[s][b] = select(0.0, value, column >= 0 && column < i32(W));
        }
      }
      let gradient = dy[(row * Q + q) * K4 + k];
      for (var s = 0u; s < TS; s++) {
        for (var b = 0u; b < TC; b++) {
          for (var j = 0u; j < 8u; j++) {
            let value = vec4<f32>(subgroupShuffle(window[s][b], j));
            sum[s][b][j] = fma(value, gradient, sum[s][b][j]);
          }
        }
      }
    }
  }

  if (owned >= K4) {
    return;
  }
  for (var s = 0u; s < TS; s++) {
    for (var b = 0u; b < TC; b++) {
      for (var j = 0u; j < 8u; j++) {
        let c = c0 + b * 8u + j;
        if (s0 + s < S && c < C) {
          part[(((group.z * R + r) * S + s0 + s) * C + c) * K4 + k] = sum[s][b][j];
        }
      }
    }
  }
}
