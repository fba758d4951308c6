// Dropout, one element per invocation: y[i] = x[i] / (1 − rate) where the random number of element
// i is at least rate, else 0. Its gradient is the same function of dy, so one file serves both.
//
// The mask is not stored: it is a function of (block, i) and is recomputed for the gradient.
//   block [4]  key low, key high, draw low, draw high
//   x     [L]  read      values, or the gradient dy
//   y     [L]  written   values, or the gradient dx
// threshold = ⌈rate · 2²⁴⌉, compared with the upper 24 bits of the random word, which is exact;
// scale = 1 / (1 − rate).
// Limits: WebGPU's defaults.
// @use lib/philox.wgsl

struct Params {
  size: u32,
  threshold: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> block: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.size) {
    return;
  }
  let words = random_words(block[0], i / 4u, 0u);
  let is_kept = (words[i % 4u] >> 8u) >= params.threshold;
  y[i] = select(0.0, x[i] * params.scale, is_kept);
}
