// target = source and nothing else: the most bytes per second this adapter moves for a shader.
//
// One invocation copies one vec4, neighbours copy neighbours; a workgroup is 64 of them. The grid may
// be folded into two dimensions.
//   source_values [L]  read, padded to whole vec4
//   target_values [L]  written, likewise
// Limits: WebGPU's defaults.

struct Params {
  vectors: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source_values: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> target_values: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i < params.vectors) {
    target_values[i] = source_values[i];
  }
}
