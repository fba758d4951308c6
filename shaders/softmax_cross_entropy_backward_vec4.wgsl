// Gradients of softmax cross-entropy, four classes per invocation, for K divisible by four.
// Improves softmax_cross_entropy_backward_naive: the row's numbers are loaded once for four
// elements, and loads and stores are vectors.
//
// A workgroup of 64 covers 256 elements. K is the number of classes.
//   logits     [N K/4] of vec4  read
//   classes    [N]              read unless DENSE; a row whose class is outside 0 … K − 1 gets NaN
//   targets    [N K/4] of vec4  read where DENSE
//   statistics [3 N]            read: largest logit, log Σ exp, total = Σ_k t[n,k]
//   weights    [K/4] of vec4    read where WEIGHTED: a factor of each class's t
//   dy         [N], or one number where IS_REDUCED, which `divisor` divides (N for a mean)
//   gradient   [N K/4] of vec4  written: dlogits, or dlabels where OF_LABELS
// A row whose class number is `ignored` gets zeros, where HAS_IGNORED.
// Overrides: DENSE; IS_REDUCED; OF_LABELS; WEIGHTED; HAS_IGNORED.
// Limits: WebGPU's defaults.
// @use lib/exp_log.wgsl

override DENSE: bool = false;
override IS_REDUCED: bool = true;
override OF_LABELS: bool = false;
override WEIGHTED: bool = false;
override HAS_IGNORED: bool = false;

struct Params {
  N: u32,
  K: u32,
  smoothing: f32,
  divisor: f32,
  ignored: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> classes: array<i32>;
@group(0) @binding(3) var<storage, read> targets: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> statistics: array<f32>;
@group(0) @binding(5) var<storage, read> dy: array<f32>;
@group(0) @binding(6) var<storage, read_write> gradient: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> weights: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let N = params.N;
  let K = params.K;
  let quads = K / 4u;
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= N * quads) {
    return;
  }
  let n = i / quads;
  let share = dy[select(n, 0u, IS_REDUCED)] / params.divisor;
  let log_sum = statistics[N + n];
  let log_p = logits[i] - statistics[n] - log_sum;
  var weight = vec4<f32>(1.0);
  if (WEIGHTED) {
    weight = weights[i % quads];
  }
  if (OF_LABELS) {
    gradient[i] = -share * weight * (1.0 - params.smoothing) * log_p;
    return;
  }
  var label = vec4<f32>(0.0);
  var is_valid = !is_nan(log_sum);
  if (DENSE) {
    label = targets[i];
  } else {
    let class_number = classes[n];
    if (HAS_IGNORED && class_number == params.ignored) {
      gradient[i] = vec4<f32>(0.0);
      return;
    }
    let k = vec4<i32>(i32(i % quads) * 4) + vec4<i32>(0, 1, 2, 3);
    label = select(vec4<f32>(0.0), vec4<f32>(1.0), k == vec4<i32>(class_number));
    is_valid = is_valid && class_number >= 0 && class_number < i32(K);
  }
  let t = weight * ((1.0 - params.smoothing) * label + params.smoothing / f32(K));
  let value = share * (exp(log_p) * statistics[2u * N + n] - t);
  let nan_bits = 0x7fc00000u;
  gradient[i] = select(vec4<f32>(bitcast<f32>(nan_bits)), value, is_valid);
}
