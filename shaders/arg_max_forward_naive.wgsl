// y[o, i] = the r at which x[o, r, i] is largest (smallest where IS_MIN), the first where several
// tie; the first NaN if there is one. One output per invocation.
//
// A workgroup of 64 covers 64 neighbours; the grid may be folded into two dimensions.
//   x [outer, length, inner]  read
//   y [outer, inner]          written, i32
// Overrides: IS_MIN.
// Limits: WebGPU's defaults.
// @use lib/order.wgsl

override IS_MIN: bool = false;

struct Params {
  outputs: u32,
  length: u32,
  inner: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<i32>;

fn rank_of(value: f32) -> u32 {
  if (IS_MIN) {
    return reverse_order_key(value);
  }
  return order_key(value);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let output = (group.y * groups.x + group.x) * 64u + local;
  if (output >= params.outputs) {
    return;
  }
  let first = (output / params.inner) * params.length * params.inner + output % params.inner;
  var best = rank_of(x[first]);
  var index = 0u;
  for (var r = 1u; r < params.length; r++) {
    let rank = rank_of(x[first + r * params.inner]);
    if (rank > best) {
      best = rank;
      index = r;
    }
  }
  y[output] = i32(index);
}
