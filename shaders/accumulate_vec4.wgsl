// target += source: how gradients of a value that is used twice are summed.
//
// One invocation adds four neighbouring elements; a workgroup of 64 covers 256.
// The grid may be folded into two dimensions; elements past the end fall into the padding
// of the buffers, which hold whole vectors of four.
//   target_values [L]  read and written
//   source_values [L]
// Limits: WebGPU's defaults.

struct Params {
  vectors: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> target_values: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> source_values: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.vectors) {
    return;
  }
  target_values[i] += source_values[i];
}
