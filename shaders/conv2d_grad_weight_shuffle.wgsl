// Gradient of a convolution's filter, stride 1, for adapters whose subgroups have 8 lanes.
// Improves conv2d_grad_weight_naive: the long sum over images and rows is cut into slices, and
// each loaded dy serves 8 input channels at TS filter taps.
//
// A workgroup is one subgroup of 8 lanes. It computes, for one slice of the N·P output rows, the
// weights of filter row r at TS neighbouring columns, 8 input channels and 32 output channels
// (4 a lane). It walks along each row with the last TS input columns in registers: lane j holds
// channel c0 + j, and a shuffle hands it to all lanes.
//   x    [N H W C]    read
//   dy   [N P Q K]    read, as vec4 along K; K a multiple of 4
//   part [Z R S C K]  written, as vec4 along K: one partial sum a slice, added up by sum_slices
// Grid: (⌈K/32⌉, R·⌈S/TS⌉·⌈C/8⌉, Z).
// Tunables: TS filter columns a workgroup.
// Limits: WebGPU's defaults, and the feature subgroups.
enable subgroups;

const TS: u32 = 5u; // @tune

struct Params {
  x_shape: vec4<u32>,
  y_shape: vec4<u32>,
  filter_size: vec2<u32>,
  pad: vec2<i32>,
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

  let channel_blocks = (C + 7u) / 8u;
  let column_blocks = (S + TS - 1u) / TS;
  let c0 = (group.y % channel_blocks) * 8u;
  let r = group.y / (channel_blocks * column_blocks);
  let s0 = (group.y / channel_blocks) % column_blocks * TS;
  let owned = group.x * 8u + lane;
  let k = min(owned, K4 - 1u);
  // Lanes past the last channel repeat it; what they hold is never written.
  let c = min(c0 + lane, C - 1u);

  let first_row = group.z * params.rows_per_slice;
  let end_row = min(first_row + params.rows_per_slice, N * P);

  var sum: array<array<vec4<f32>, 8>, TS>;
  for (var row = first_row; row < end_row; row++) {
    let n = row / P;
    let h = i32(row % P + r) - params.pad.x;
    if (h < 0 || h >= i32(H)) {
      continue;
    }
    let x_row = (n * H + u32(h)) * W;
    var window: array<f32, TS>; // columns q + s0 … q + s0 + TS − 1, one channel a lane
    for (var s = 0u; s < TS - 1u; s++) {
      let column = i32(s + s0) - params.pad.y;
      let value = x[(x_row + u32(clamp(column, 0, i32(W) - 1))) * C + c];
      window[s + 1u] = select(0.0, value, column >= 0 && column < i32(W));
    }
    for (var q = 0u; q < Q; q++) {
      for (var s = 0u; s < TS - 1u; s++) {
        window[s] = window[s + 1u];
      }
      let column = i32(q + s0 + TS - 1u) - params.pad.y;
      let value = x[(x_row + u32(clamp(column, 0, i32(W) - 1))) * C + c];
      window[TS - 1u] = select(0.0, value, column >= 0 && column < i32(W));
      let b = dy[(row * Q + q) * K4 + k];
      for (var s = 0u; s < TS; s++) {
        for (var j = 0u; j < 8u; j++) {
          sum[s][j] = fma(vec4<f32>(subgroupShuffle(window[s], j)), b, sum[s][j]);
        }
      }
    }
  }

  if (owned >= K4) {
    return;
  }
  for (var s = 0u; s < TS; s++) {
    for (var j = 0u; j < 8u; j++) {
      if (s0 + s < S && c0 + j < C) {
        part[(((group.z * R + r) * S + s0 + s) * C + c0 + j) * K4 + k] = sum[s][j];
      }
    }
  }
}
