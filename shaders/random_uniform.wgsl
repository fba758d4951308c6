// Uniform random numbers: values[i] = low + (high − low) · u, u in [0, 1) in steps of 2⁻²⁴.
//
// One invocation draws four neighbouring elements from one Philox block; a workgroup of 64 draws
// 256. The grid may be folded into two dimensions; elements past the end fall into the padding.
//   block  [4]  key low, key high, draw low, draw high
//   values [L]  written
// `below_high` is the largest f32 below high: rounding must not reach high itself.
// Limits: WebGPU's defaults.
// @use lib/philox.wgsl

struct Params {
  quads: u32,
  low: f32,
  range: f32,
  below_high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> block: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.quads) {
    return;
  }
  let u = uniform_from_words(random_words(block[0], i, 0u));
  values[i] = min(params.low + params.range * u, vec4<f32>(params.below_high));
}
