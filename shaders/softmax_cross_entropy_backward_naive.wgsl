// Gradients of softmax cross-entropy, from the logits and three numbers kept of each row:
//   p[n,k] = exp(x[n,k] − largest[n] − log_sum[n])
//   dlogits[n,k] = dy[n] · (p[n,k] · total[n] − t[n,k]),   t = (1 − smoothing) · labels + smoothing / K
//   dlabels[n,k] = −dy[n] · (1 − smoothing) · log p[n,k]
//
// One invocation computes one element; a workgroup of 64 computes 64 neighbours.
//   logits     [N K]  read
//   classes    [N]    read unless DENSE; a row whose class is outside 0 … K − 1 gets NaN
//   targets    [N K]  read where DENSE
//   statistics [3 N]  read: largest logit, log Σ exp, total = Σ_k t[n,k]
//   weights    [K]    read where WEIGHTED: a factor of each class's t
//   dy         [N], or one number where IS_REDUCED, which `divisor` divides (N for a mean)
//   gradient   [N K]  written: dlogits, or dlabels where OF_LABELS
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
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> classes: array<i32>;
@group(0) @binding(3) var<storage, read> targets: array<f32>;
@group(0) @binding(4) var<storage, read> statistics: array<f32>;
@group(0) @binding(5) var<storage, read> dy: array<f32>;
@group(0) @binding(6) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(7) var<storage, read> weights: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let N = params.N;
  let K = params.K;
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= N * K) {
    return;
  }
  let n = i / K;
  let k = i32(i % K);
  let share = dy[select(n, 0u, IS_REDUCED)] / params.divisor;
  let log_sum = statistics[N + n];
  let log_p = logits[i] - statistics[n] - log_sum;
  var weight = 1.0;
  if (WEIGHTED) {
    weight = weights[i % K];
  }
  if (OF_LABELS) {
    gradient[i] = -share * weight * (1.0 - params.smoothing) * log_p;
    return;
  }
  var label = 0.0;
  var is_valid = !is_nan(log_sum);
  if (DENSE) {
    label = targets[i];
  } else {
    let class_number = classes[n];
    if (HAS_IGNORED && class_number == params.ignored) {
      gradient[i] = 0.0;
      return;
    }
    label = select(0.0, 1.0, class_number == k);
    is_valid = is_valid && class_number >= 0 && class_number < i32(K);
  }
  let t = weight * ((1.0 - params.smoothing) * label + params.smoothing / f32(K));
  let nan_bits = 0x7fc00000u;
  let value = share * (exp(log_p) * statistics[2u * N + n] - t);
  gradient[i] = select(bitcast<f32>(nan_bits), value, is_valid);
}
