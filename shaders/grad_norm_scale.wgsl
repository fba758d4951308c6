// gradients ← gradients · min(1, max_norm / (norm + 1e-6)).
//
// One invocation scales four neighbouring elements; a workgroup of 64 covers 256. The grid may be
// folded into two dimensions.
//   gradients [L]  read and written; L a multiple of 256
//   norm      [1]  read
// Limits: WebGPU's defaults.

struct Params {
  vectors: u32,
  max_norm: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> gradients: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> norm: array<f32>;

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
  gradients[i] *= min(1.0, params.max_norm / (norm[0] + 1e-6));
}
