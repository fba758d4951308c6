// Sets parts of an arena to zero: gradients that are known to be zero without being computed.
//
// A workgroup of 64 takes one piece of 256 elements, four to an invocation; every tensor of an arena
// begins on a multiple of 256 elements. The grid may be folded into two dimensions.
//   pieces [P]  numbers of the pieces
//   values [L]  written
// Limits: WebGPU's defaults.

struct Params {
  count: u32, // P
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pieces: array<u32>;
@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = group.y * groups.x + group.x;
  if (i < params.count) {
    values[pieces[i] * 64u + local] = vec4<f32>();
  }
}
