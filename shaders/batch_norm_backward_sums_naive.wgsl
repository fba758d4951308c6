// Gradients of beta and gamma, the plain way: sums over all values of a channel,
//   dbeta = Σ dz,   dgamma = Σ dz · x̂,   dz = dy · activation′,   x̂ = (x − mean) · rstd
//
// One invocation takes one channel; a workgroup of 64 takes 64 neighbouring channels.
//   dy         [M C]  read
//   kept       [M C]  read where ACTIVATION is not 0: y; where it is silu, [C]: beta, from
//              which and gamma z is computed again
//   x          [M C]  read
//   statistics [2 C]  read: means, then rstd
//   gamma      [C]    read where ACTIVATION is silu
//   sums       [2 C]  written: dbeta, then dgamma, together for batch_norm_backward_naive
//   dgamma     [C]    written
//   dbeta      [C]    written
// Overrides: ACTIVATION, a number of lib/activation.wgsl.
// Limits: WebGPU's defaults.
// @use lib/activation_lanes.wgsl

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
@group(0) @binding(6) var<storage, read_write> sums: array<f32>;
@group(0) @binding(7) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(8) var<storage, read_write> dbeta: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let C = params.C;
  let c = (group.y * groups.x + group.x) * 64u + local;
  if (c >= C) {
    return;
  }
  let mean = statistics[c];
  let rstd = statistics[C + c];
  var sum = 0.0;
  var weighted = 0.0;
  for (var row = 0u; row < params.rows; row++) {
    let i = row * C + c;
    var source: f32;
    if (ACTIVATION == SILU) {
      source = (x[i] - mean) * (rstd * gamma[c]) + kept[c];
    } else {
      source = kept[i];
    }
    let dz = before_activation(dy[i], source, ACTIVATION);
    sum += dz;
    weighted += dz * ((x[i] - mean) * rstd);
  }
  sums[c] = sum;
  sums[C + c] = weighted;
  dbeta[c] = sum;
  dgamma[c] = weighted;
}
