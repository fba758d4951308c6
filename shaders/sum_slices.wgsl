// total[i] = Σ_z part[z][i]: the second pass of sums that several workgroups shared.
//
// One invocation sums four neighbouring elements, slice after slice in order, so that the bits
// do not depend on which workgroup finished first; a workgroup of 64 covers 256 elements.
//   part  [Z L]  read, as vec4; L a multiple of 4
//   total [L]    written
// Limits: WebGPU's defaults.

struct Params {
  slices: u32,
  vectors: u32, // L/4
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> part: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> total: array<vec4<f32>>;

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
  var sum = part[i];
  for (var z = 1u; z < params.slices; z++) {
    sum += part[z * params.vectors + i];
  }
  total[i] = sum;
}
