// The terms that the gradients of a normalisation of groups sum up: dy · gamma, dy · x̂ or dy · gamma · x̂ with
// x̂ = (x − mean) / √(variance + epsilon). The sums over groups and over images are those of reduce.
// x is seen as [O M G D], as in group_norm_forward_naive.
//
// One invocation computes one value (or four of one group, with Lanes = vec4<f32>; D then counts
// vectors); a workgroup of 64 computes 64 neighbours. The grid may be folded into two dimensions.
//   dy, x [O M G D]  read      mean, variance [O G]  read      gamma [G D]  read where HAS_GAMMA
//   terms [O M G D]  written
// Overrides: HAS_GAMMA; HAS_NORMALIZED, where x̂ is a factor.
// Tunables: Lanes, f32 or vec4<f32>.
// Limits: WebGPU's defaults.

override HAS_GAMMA: bool = false;
override HAS_NORMALIZED: bool = false;

alias Lanes = f32; // @tune

struct Params {
  size: u32,
  M: u32,
  G: u32,
  D: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<Lanes>;
@group(0) @binding(2) var<storage, read> x: array<Lanes>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> variance: array<f32>;
@group(0) @binding(5) var<storage, read> gamma: array<Lanes>;
@group(0) @binding(6) var<storage, read_write> terms: array<Lanes>;

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
  var term = dy[i];
  if (HAS_GAMMA) {
    term *= gamma[c];
  }
  if (HAS_NORMALIZED) {
    term *= (x[i] - mean[at]) * inverseSqrt(variance[at] + params.epsilon);
  }
  terms[i] = term;
}
