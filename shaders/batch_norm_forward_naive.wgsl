// Normalisation: y = activation( gamma · (x − mean) · rstd + beta + residual ), one pass over x for
// all of it.
//
// One invocation computes one y; a workgroup of 64 computes 64 neighbours.
//   x          [M C]  read
//   statistics [2 C]  read: means, then rstd = 1 / √(variance + epsilon)
//   gamma      [C]    read where HAS_GAMMA, else 1
//   beta       [C]    read where HAS_BETA, else 0
//   residual   [M C]  read where HAS_RESIDUAL
//   y          [M C]  written
// Overrides: HAS_GAMMA; HAS_BETA; HAS_RESIDUAL; ACTIVATION, a number of lib/activation.wgsl.
// Limits: WebGPU's defaults.
// @use lib/activation_lanes.wgsl

override HAS_GAMMA: bool = true;
override HAS_BETA: bool = true;
override HAS_RESIDUAL: bool = false;
override ACTIVATION: u32 = 0u;

alias Lanes = f32;
alias Places = u32;

struct Params {
  rows: u32, // M
  C: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> statistics: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read> beta: array<f32>;
@group(0) @binding(5) var<storage, read> residual: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.rows * params.C) {
    return;
  }
  let c = i % params.C;
  var z = (x[i] - statistics[c]) * statistics[params.C + c];
  if (HAS_GAMMA) {
    z *= gamma[c];
  }
  if (HAS_BETA) {
    z += beta[c];
  }
  if (HAS_RESIDUAL) {
    z += residual[i];
  }
  y[i] = activate_lanes(z, ACTIVATION);
}
