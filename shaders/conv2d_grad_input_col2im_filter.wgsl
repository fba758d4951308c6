// A filter as the right operand of the matmul that computes the columns: columns[k, t] = w[t, k], where t counts the
// R·S·C numbers that a pixel of dy is multiplied with, and those past the last are 0.
//
// One invocation moves one number; a workgroup of 64 writes 64 neighbours.
//   w       [R S C K]  read
//   columns [K T]      written; T is R·S·C rounded up, so that rows are whole vec4
// Limits: WebGPU's defaults.

struct Params {
  size: u32, // R·S·C
  width: u32, // T
  k: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> columns: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.k * params.width) {
    return;
  }
  let t = i % params.width;
  let k = i / params.width;
  if (t < params.size) {
    columns[i] = w[t * params.k + k];
  } else {
    columns[i] = 0.0;
  }
}
