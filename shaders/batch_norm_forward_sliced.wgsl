// Normalisation, y = activation( gamma · (x − mean) · rstd + beta + residual ). Improves
// batch_norm_forward_naive: an invocation stays with its channels through several rows, so that
// the channel's numbers are loaded, and its place is computed, once for all of them.
//
// One invocation takes one slice of one channel (or of four, with Lanes = vec4<f32>); neighbouring
// invocations take neighbouring channels, whose loads lie side by side. A workgroup of 64.
//   x          [M C]  read, in values of Lanes; C comes divided by their width
//   statistics [2 C]  read: means, then rstd = 1 / √(variance + epsilon)
//   gamma      [C]    read where HAS_GAMMA, else 1
//   beta       [C]    read where HAS_BETA, else 0
//   residual   [M C]  read where HAS_RESIDUAL
//   y          [M C]  written
// Overrides: HAS_GAMMA; HAS_BETA; HAS_RESIDUAL; ACTIVATION, a number of lib/activation.wgsl.
// Tunables: Lanes, f32, or vec4<f32> where C is divisible by four; Places, u32 or vec4<u32>.
// Limits: WebGPU's defaults.
// @use lib/activation_lanes.wgsl

override HAS_GAMMA: bool = true;
override HAS_BETA: bool = true;
override HAS_RESIDUAL: bool = false;
override ACTIVATION: u32 = 0u;

alias Lanes = f32; // @tune
alias Places = u32; // @tune

struct Params {
  rows: u32, // M
  C: u32,
  rows_per_slice: u32,
  slices: u32,
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
  let C = params.C;
  let i = (group.y * groups.x + group.x) * 64u + local;
  let c = i % C;
  let slice = i / C;
  if (slice >= params.slices) {
    return;
  }
  let mean = statistics[c];
  var scale = statistics[C + c];
  if (HAS_GAMMA) {
    scale *= gamma[c];
  }
  var shift = Lanes(0.0);
  if (HAS_BETA) {
    shift = beta[c];
  }
  let begin = slice * params.rows_per_slice;
  let end = min(begin + params.rows_per_slice, params.rows);
  for (var row = begin; row < end; row++) {
    let at = row * C + c;
    var z = (x[at] - mean) * scale + shift;
    if (HAS_RESIDUAL) {
      z += residual[at];
    }
    y[at] = activate_lanes(z, ACTIVATION);
  }
}
