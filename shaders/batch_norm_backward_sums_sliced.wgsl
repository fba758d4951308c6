// Gradients of beta and gamma, first of two passes. Improves batch_norm_backward_sums_naive: the
// rows are cut into slices that run side by side; batch_norm_backward_sums_combine adds them up.
//
// One invocation takes one slice of one channel (or of four, with Lanes = vec4<f32>); a workgroup
// of 64 takes 64 neighbours, which are channels first, so that loads lie side by side.
//   dy         [M C]         read, in values of Lanes; C comes divided by their width
//   kept       [M C]         read where ACTIVATION is not 0: y; where it is silu, [C]: beta, from
//              which and gamma z is computed again
//   x          [M C]         read
//   statistics [2 C]         read: means, then rstd
//   gamma      [C]           read where ACTIVATION is silu
//   partial    [slices 2 C]  written: Σ dz, then Σ dz · x̂, of each slice
// Overrides: ACTIVATION, a number of lib/activation.wgsl.
// Tunables: Lanes, f32, or vec4<f32> where C is divisible by four; Places, u32 or vec4<u32>.
// Limits: WebGPU's defaults.
// @use lib/activation_lanes.wgsl

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
@group(0) @binding(6) var<storage, read_write> partial: array<Lanes>;

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
  let begin = slice * params.rows_per_slice;
  let end = min(begin + params.rows_per_slice, params.rows);
  let mean = statistics[c];
  let rstd = statistics[C + c];
  var scale = Lanes(0.0);
  var shift = Lanes(0.0);
  if (ACTIVATION == SILU) {
    scale = rstd * gamma[c];
    shift = kept[c];
  }
  var sum = Lanes(0.0);
  var weighted = Lanes(0.0);
  for (var row = begin; row < end; row++) {
    let at = row * C + c;
    var source: Lanes;
    if (ACTIVATION == SILU) {
      source = (x[at] - mean) * scale + shift;
    } else {
      source = kept[at];
    }
    let dz = before_activation(dy[at], source, ACTIVATION);
    sum += dz;
    weighted += dz * ((x[at] - mean) * rstd);
  }
  partial[2u * slice * C + c] = sum;
  partial[(2u * slice + 1u) * C + c] = weighted;
}
