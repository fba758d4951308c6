// Normalisation: y = activation( gamma · (x − mean) · rstd + beta + residual ), one pass over x for
// all of it.
//
// One invocation computes one y (or four, with Lanes = vec4<f32>); a workgroup of 64 computes 64
// neighbours.
//   x          [M C]  read, in values of Lanes; C comes divided by their width
//   statistics [2 C]  read: means, then rstd = 1 / √(variance + epsilon)
//   gamma      [C]    read where HAS_GAMMA, else 1
//   beta       [C]    read where HAS_BETA, else 0
//   residual   [M C]  read where HAS_RESIDUAL
//   y          [M C]  written
// Overrides: HAS_GAMMA; HAS_BETA; HAS_RESIDUAL; ACTIVATION, a number of lib/activation.wgsl.
// Tunables: Lanes, f32, or vec4<f32> where C is divisible by four.
// Limits: WebGPU's defaults.
// @use lib/activation_lanes.wgsl

override HAS_GAMMA: bool = true;
override HAS_BETA: bool = true;
override HAS_RESIDUAL: bool = false;
override ACTIVATION: u32 = 0u;

alias Lanes = f32; // @tune

struct Params {
  size: u32,
  C: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Lanes>;
@group(0) @binding(2) var<storage, read> statistics: array<Lanes>;
@group(0) @binding(3) var<storage, read> gamma: array<Lanes>;
@group(0) @binding(4) var<storage, read> beta: array<Lanes>;
@group(0) @binding(5) var<storage, read> residual: array<Lanes>;
@group(0) @binding(6) var<storage, read_write> y: array<Lanes>;

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
