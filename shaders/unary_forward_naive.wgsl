// y = f(x), one element per invocation.
//
// A workgroup of 64 covers 64 neighbours; the grid may be folded into two dimensions.
//   x [L]  read      y [L]  written
// Params: alpha of leakyRelu and elu, low and high of clip.
// Overrides: OP, a number of lib/unary.wgsl.
// Limits: WebGPU's defaults.
// @use lib/unary.wgsl
// @use lib/exp_log.wgsl

override OP: u32 = 0u;

struct Params {
  size: u32,
  alpha: f32,
  low: f32,
  high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

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
  y[i] = unary_value(x[i], OP, params.alpha, params.low, params.high);
}
