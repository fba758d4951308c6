// y = activation( y + bias + residual ), in place: the epilogue of kernels that have none of their
// own, or one without the residual.
//
// One invocation finishes one number; a workgroup of 64 covers 64 neighbours.
//   bias     [K]        read where HAS_BIAS
//   residual [rows, K]  read where HAS_RESIDUAL
//   y        [rows, K]  read and written
// Overrides: HAS_BIAS, HAS_RESIDUAL; ACTIVATION, a number of lib/activation.wgsl.
// Limits: WebGPU's defaults.
// @use lib/activation.wgsl

override HAS_BIAS: bool = false;
override HAS_RESIDUAL: bool = false;
override ACTIVATION: u32 = 0u;

struct Params {
  elements: u32,
  k: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> bias: array<f32>;
@group(0) @binding(2) var<storage, read> residual: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

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
  var z = y[i];
  if (HAS_BIAS) {
    z += bias[i % params.k];
  }
  if (HAS_RESIDUAL) {
    z += residual[i];
  }
  y[i] = activate(z, ACTIVATION);
}
