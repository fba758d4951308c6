// y[o, j, i] = the r at which x[o, r, i] is the j-th largest, j from 0 on: NaN before every number, and of
// equals the one with the smaller r first. One invocation finds the k of one row.
//
// It looks through the row once for each of them: for the best of those that come after the last one
// found, in the order above. So nothing is sorted and nothing but two numbers is remembered. A workgroup of
// 64 covers 64 neighbouring rows; the grid may be folded into two dimensions.
//   x [outer, length, inner]  read
//   y [outer, k, inner]       written, i32
// Limits: WebGPU's defaults.
// @use lib/order.wgsl

struct Params {
  rows: u32, // outer · inner
  length: u32,
  inner: u32,
  k: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<i32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let row = (group.y * groups.x + group.x) * 64u + local;
  if (row >= params.rows) {
    return;
  }
  let o = row / params.inner;
  let i = row % params.inner;
  var last = 0u;
  var last_index = 0u;
  for (var j = 0u; j < params.k; j++) {
    var best = 0u;
    var best_index = params.length;
    for (var r = 0u; r < params.length; r++) {
      let key = order_key(x[(o * params.length + r) * params.inner + i]);
      let is_left = j == 0u || key < last || (key == last && r > last_index);
      if (is_left && (best_index == params.length || key > best)) {
        best = key;
        best_index = r;
      }
    }
    y[(o * params.k + j) * params.inner + i] = i32(best_index);
    last = best;
    last_index = best_index;
  }
}
