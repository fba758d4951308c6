// Gradient of the negative log-likelihood: −w · dy[n], w = 1 unless WEIGHTED, at the class of row n, 0 elsewhere. A row whose
// class lies outside 0 … K − 1 gets NaN.
//
// One invocation computes one element; a workgroup of 64 computes 64 neighbours.
//   classes  [N]    read
//   weights  [K]    read where WEIGHTED: w, of each class
//   dy       [N], or one number where IS_REDUCED, which `divisor` divides (N for a mean)
//   gradient [N K]  written
// A row whose class is `ignored` gets zeros, where HAS_IGNORED.
// Overrides: IS_REDUCED; WEIGHTED; HAS_IGNORED.
// Limits: WebGPU's defaults.

override IS_REDUCED: bool = true;
override WEIGHTED: bool = false;
override HAS_IGNORED: bool = false;

struct Params {
  N: u32,
  K: u32,
  divisor: f32,
  ignored: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> classes: array<i32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(4) var<storage, read> weights: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.N * params.K) {
    return;
  }
  let n = i / params.K;
  var share = dy[select(n, 0u, IS_REDUCED)] / params.divisor;
  let class_number = classes[n];
  if (HAS_IGNORED && class_number == params.ignored) {
    gradient[i] = 0.0;
  } else if (class_number < 0 || class_number >= i32(params.K)) {
    let nan_bits = 0x7fc00000u;
    gradient[i] = bitcast<f32>(nan_bits);
  } else {
    if (WEIGHTED) {
      share *= weights[class_number];
    }
    gradient[i] = select(0.0, -share, class_number == i32(i % params.K));
  }
}
