// The gradient of x of a normalisation of groups. With g = dy · gamma and the sums Σ over a group's L values,
//   dx = rstd · (g − Σ g / L − x̂ · Σ g·x̂ / L),   x̂ = (x − mean) · rstd,   rstd = 1 / √(variance + epsilon)
// x is seen as [O M G D], as in group_norm_forward_naive.
//
// One invocation computes one value (or four of one group, with Lanes = vec4<f32>; D then counts
// vectors); a workgroup of 64 computes 64 neighbours. The grid may be folded into two dimensions.
//   dy, x [O M G D]  read      mean, variance [O G]  read      gamma [G D]  read where HAS_GAMMA
//   sums, products [O G]  read: Σ g / L and Σ g·x̂ / L      dx [O M G D]  written
// Overrides: HAS_GAMMA.
// Tunables: Lanes, f32 or vec4<f32>.
// Limits: WebGPU's defaults.

override HAS_GAMMA: bool = false;

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
@group(0) @binding(6) var<storage, read> sums: array<f32>;
@group(0) @binding(7) var<storage, read> products: array<f32>;
@group(0) @binding(8) var<storage, read_write> dx: array<Lanes>;

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
  let rstd = inverseSqrt(variance[at] + params.epsilon);
  let normalized = (x[i] - mean[at]) * rstd;
  var gradient = dy[i];
  if (HAS_GAMMA) {
    gradient *= gamma[c];
  }
  dx[i] = rstd * (gradient - sums[at] - normalized * products[at]);
}
