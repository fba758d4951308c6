// Gradient of what batch normalisation was given, with dz = dy · activation′:
//   dresidual = dz
//   dx = gamma · rstd · (dz − dbeta / M − x̂ · dgamma / M)   where IS_TRAINING: the batch's mean and
//                                                           variance moved with x
//   dx = gamma · rstd · dz                                  otherwise
//
// One invocation computes one dx; a workgroup of 64 computes 64 neighbours.
//   dy         [M C]  read
//   kept       [M C]  read where ACTIVATION is not 0: y; where it is silu, [C]: beta, from
//              which and gamma z is computed again
//   x          [M C]  read where IS_TRAINING, or ACTIVATION is silu
//   statistics [2 C]  read: means, then rstd
//   gamma      [C]    read where HAS_GAMMA, else 1
//   sums       [2 C]  read where IS_TRAINING: dbeta, then dgamma
//   dx         [M C]  written
//   dresidual  [M C]  written where KEEP_RESIDUAL
// Overrides: IS_TRAINING; HAS_GAMMA; KEEP_RESIDUAL; ACTIVATION, a number of lib/activation.wgsl.
// Limits: WebGPU's defaults.
// @use lib/activation_lanes.wgsl

override IS_TRAINING: bool = true;
override HAS_GAMMA: bool = true;
override KEEP_RESIDUAL: bool = false;
override ACTIVATION: u32 = 0u;

const SILU: u32 = 7u;

alias Lanes = f32;
alias Places = u32;

struct Params {
  rows: u32, // M
  C: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> kept: array<f32>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read> statistics: array<f32>;
@group(0) @binding(5) var<storage, read> gamma: array<f32>;
@group(0) @binding(6) var<storage, read> sums: array<f32>;
@group(0) @binding(7) var<storage, read_write> dx: array<f32>;
@group(0) @binding(8) var<storage, read_write> dresidual: array<f32>;

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
  let C = params.C;
  let c = i % C;
  let mean = statistics[c];
  let rstd = statistics[C + c];
  var source: f32;
  if (ACTIVATION == SILU) {
    source = (x[i] - mean) * (rstd * gamma[c]) + kept[c];
  } else {
    source = kept[i];
  }
  let dz = before_activation(dy[i], source, ACTIVATION);
  if (KEEP_RESIDUAL) {
    dresidual[i] = dz;
  }
  var inner = dz;
  if (IS_TRAINING) {
    let normalized = (x[i] - mean) * rstd;
    inner -= (sums[c] + normalized * sums[C + c]) / f32(params.rows);
  }
  var scale = rstd;
  if (HAS_GAMMA) {
    scale *= gamma[c];
  }
  dx[i] = scale * inner;
}
