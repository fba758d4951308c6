// y = activation( bias + residual + Σ_z part[z] ): the second pass of products whose sum over K was
// cut into slices because the output is small.
//
// One invocation sums one element, slice after slice in order, so that the bits do not depend
// on which workgroup finished first; a workgroup of 64 covers 64 elements.
//   part     [slices L]  read; L = batches·M·N
//   bias     [N]         read where HAS_BIAS
//   residual [L]         read where HAS_RESIDUAL
//   y        [L]         written
// Overrides: HAS_BIAS, HAS_RESIDUAL; ACTIVATION, a number of lib/activation.wgsl.
// Limits: WebGPU's defaults.
// @use lib/activation.wgsl

override HAS_BIAS: bool = false;
override HAS_RESIDUAL: bool = false;
override ACTIVATION: u32 = 0u;

struct Params {
  slices: u32,
  elements: u32,
  n: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> part: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> residual: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.elements) {
    return;
  }
  var sum = part[i];
  for (var z = 1u; z < params.slices; z++) {
    sum += part[z * params.elements + i];
  }
  if (HAS_BIAS) {
    sum += bias[i % params.n];
  }
  if (HAS_RESIDUAL) {
    sum += residual[i];
  }
  y[i] = activate(sum, ACTIVATION);
}
