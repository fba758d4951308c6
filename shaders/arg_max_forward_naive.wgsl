// y[o, i] = the r at which x[o, r, i] is largest, the first where several tie; one output an
// invocation.
//
// A workgroup of 64 covers 64 neighbours; the grid may be folded into two dimensions.
//   x [outer, length, inner]  read
//   y [outer, inner]          written, i32
// Limits: WebGPU's defaults.

struct Params {
  outputs: u32,
  length: u32,
  inner: u32,
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
  let output = (group.y * groups.x + group.x) * 64u + local;
  if (output >= params.outputs) {
    return;
  }
  let first = (output / params.inner) * params.length * params.inner + output % params.inner;
  var best = x[first];
  var index = 0u;
  for (var r = 1u; r < params.length; r++) {
    let value = x[first + r * params.inner];
    if (value > best) {
      best = value;
      index = r;
    }
  }
  y[output] = i32(index);
}
