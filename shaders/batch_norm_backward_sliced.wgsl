// Gradient of what batch normalisation was given. Improves batch_norm_backward_naive: an invocation
// stays with its channels through several rows, so that the channel's numbers are loaded, and its
// place is computed, once for all of them.
//
// One invocation takes one slice of one channel (or of four, with Lanes = vec4<f32>); neighbouring
// invocations take neighbouring channels, whose loads lie side by side. A workgroup of 64.
//   dy         [M C]  read, in values of Lanes; C comes divided by their width
//   kept       [M C]  read where ACTIVATION is not 0: y; where it is silu, [C]: beta, from
//              which and gamma z is computed again
//   x          [M C]  read where IS_TRAINING, or ACTIVATION is silu
//   statistics [2 C]  read: means, then rstd
//   gamma      [C]    read where HAS_GAMMA, else 1
//   sums       [2 C]  read where IS_TRAINING: dbeta, then dgamma
//   dx         [M C]  written
//   dresidual  [M C]  written where KEEP_RESIDUAL
// Overrides: IS_TRAINING; HAS_GAMMA; KEEP_RESIDUAL; ACTIVATION, a number of lib/activation.wgsl.
// Tunables: Lanes, f32, or vec4<f32> where C is divisible by four; Places, u32 or vec4<u32>.
// Limits: WebGPU's defaults.
// @use lib/activation_lanes.wgsl

override IS_TRAINING: bool = true;
override HAS_GAMMA: bool = true;
override KEEP_RESIDUAL: bool = false;
override ACTIVATION: u32 = 0u;

const SILU: u32 = 7u;

alias Lanes = f32; // @tune
alias Places = u32; // @tune

struct Params {
  rows: u32, // M
  C: u32,
  rows_per_slice: u32,
  slices: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<Lanes>;
@group(0) @binding(2) var<storage, read> kept: array<Lanes>;
@group(0) @binding(3) var<storage, read> x: array<Lanes>;
@group(0) @binding(4) var<storage, read> statistics: array<Lanes>;
@group(0) @binding(5) var<storage, read> gamma: array<Lanes>;
@group(0) @binding(6) var<storage, read> sums: array<Lanes>;
@group(0) @binding(7) var<storage, read_write> dx: array<Lanes>;
@group(0) @binding(8) var<storage, read_write> dresidual: array<Lanes>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let C = params.C;
  let i = (group.y * groups.x + group.x) * 64u + local;
  let c = i % C;
  let slice = i / C;
  if (slice >= params.slices) {
    return;
  }
  let mean = statistics[c];
  let rstd = statistics[C + c];
  var scale = rstd;
  if (HAS_GAMMA) {
    scale *= gamma[c];
  }
  var shift = Lanes(0.0);
  if (ACTIVATION == SILU) {
    shift = kept[c];
  }
  var mean_dz = Lanes(0.0);
  var slope = Lanes(0.0);
  if (IS_TRAINING) {
    mean_dz = sums[c] / f32(params.rows);
    slope = rstd * sums[C + c] / f32(params.rows);
  }
  let begin = slice * params.rows_per_slice;
  let end = min(begin + params.rows_per_slice, params.rows);
  for (var row = begin; row < end; row++) {
    let at = row * C + c;
    var source: Lanes;
    if (ACTIVATION == SILU) {
      source = (x[at] - mean) * scale + shift;
    } else {
      source = kept[at];
    }
    let dz = before_activation(dy[at], source, ACTIVATION);
    if (KEEP_RESIDUAL) {
      dresidual[at] = dz;
    }
    var inner = dz;
    if (IS_TRAINING) {
      inner -= mean_dz + (x[at] - mean) * slope;
    }
    dx[at] = scale * inner;
  }
}
