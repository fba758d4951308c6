// Normalisation of groups, once their statistics are known:
//   y = gamma[c] · (x − mean) / √(variance + epsilon) + beta[c]
// x is seen as [O M G D]: each of the O·G groups has mean and variance of its M·D values, and c = g·D + d
// counts the factors. Group norm has a group for D channels of an image, instance norm for one channel,
// layer norm one for all.
//
// One invocation computes one value (or four of one group, with Lanes = vec4<f32>; D then counts
// vectors); a workgroup of 64 computes 64 neighbours. The grid may be folded into two dimensions.
//   x [O M G D]  read      mean, variance [O G]  read
//   gamma, beta [G D]  read where HAS_GAMMA, HAS_BETA      y [O M G D]  written
// Overrides: HAS_GAMMA; HAS_BETA.
// Tunables: Lanes, f32 or vec4<f32>.
// Limits: WebGPU's defaults.

override HAS_GAMMA: bool = false;
override HAS_BETA: bool = false;

alias Lanes = f32; // @tune

struct Params {
  size: u32,
  M: u32,
  G: u32,
  D: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Lanes>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
@group(0) @binding(4) var<storage, read> gamma: array<Lanes>;
@group(0) @binding(5) var<storage, read> beta: array<Lanes>;
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
  let factors = params.G * params.D;
  let c = i % factors;
  let at = i / (params.M * factors) * params.G + c / params.D;
  var value = (x[i] - mean[at]) * inverseSqrt(variance[at] + params.epsilon);
  if (HAS_GAMMA) {
    value *= gamma[c];
  }
  if (HAS_BETA) {
    value += beta[c];
  }
  y[i] = value;
}
