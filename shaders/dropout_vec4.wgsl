// Dropout, four elements per invocation. Improves dropout_naive: one Philox block makes four random
// words, so none is thrown away, and loads and stores are vectors. The gradient is the same
// function of dy.
//
// A workgroup of 64 covers 256 elements; the grid may be folded into two dimensions, and elements
// past the end fall into the padding.
//   block [4]  key low, key high, draw low, draw high
//   x     [L]  read      values, or the gradient dy
//   y     [L]  written   values, or the gradient dx
// threshold = ⌈rate · 2²⁴⌉; scale = 1 / (1 − rate).
// Limits: WebGPU's defaults.
// @use lib/philox.wgsl

struct Params {
  quads: u32,
  threshold: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> block: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

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
  let words = random_words(block[0], i, 0u) >> vec4<u32>(8u);
  let is_kept = words >= vec4<u32>(params.threshold);
  y[i] = select(vec4<f32>(0.0), x[i] * params.scale, is_kept);
}
