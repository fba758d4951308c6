// Softmax and cross-entropy of each row in one go:
//   loss[n] = −Σ_k t[n,k] · log p[n,k],   log p[n,k] = x[n,k] − max_n − log Σ_j exp(x[n,j] − max_n)
// with t = (1 − smoothing) · labels + smoothing / K. Probabilities are never stored, and the
// largest logit is taken off first, so that exp cannot overflow.
//
// One invocation computes one row; a workgroup of 64 computes 64 neighbouring rows.
//   logits     [N K]  read
//   classes    [N]    read unless DENSE: class numbers
//   targets    [N K]  read where DENSE: probabilities of the classes
//   losses     [N]    written
//   statistics [3 N]  written where KEEP_STATISTICS, for the gradient: the largest logit of each
//                     row, log Σ exp, and Σ_k t[n,k]
// A class number outside 0 … K − 1 makes the row's loss NaN. A logit of −∞ at a target of 0 adds
// nothing: 0 · log 0 = 0.
// Overrides: DENSE; KEEP_STATISTICS; IS_SMOOTHED, where smoothing > 0.
// Limits: WebGPU's defaults.
// @use lib/exp_log.wgsl

override DENSE: bool = false;
override KEEP_STATISTICS: bool = false;
override IS_SMOOTHED: bool = false;

struct Params {
  N: u32,
  K: u32,
  smoothing: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> classes: array<i32>;
@group(0) @binding(3) var<storage, read> targets: array<f32>;
@group(0) @binding(4) var<storage, read_write> losses: array<f32>;
@group(0) @binding(5) var<storage, read_write> statistics: array<f32>;

// −t · log p, which is 0 where t = 0 and p = 0.
fn part_of_loss(t: f32, log_p: f32) -> f32 {
  let is_nothing = t == 0.0 && log_p < -3.4028234e38;
  return select(-t * log_p, 0.0, is_nothing);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let N = params.N;
  let K = params.K;
  let n = (group.y * groups.x + group.x) * 64u + local;
  if (n >= N) {
    return;
  }
  let row = n * K;

  var largest = logits[row];
  for (var k = 1u; k < K; k++) {
    largest = max(largest, logits[row + k]);
  }
  var sum = 0.0;
  for (var k = 0u; k < K; k++) {
    sum += full_exp(logits[row + k] - largest);
  }
  let log_sum = full_log(sum);

  let spread = params.smoothing / f32(K);
  var loss = 0.0;
  var total = 1.0;
  if (DENSE) {
    total = 0.0;
    for (var k = 0u; k < K; k++) {
      let t = (1.0 - params.smoothing) * targets[row + k] + spread;
      loss += part_of_loss(t, logits[row + k] - largest - log_sum);
      total += t;
    }
  } else {
    let class_number = classes[n];
    if (IS_SMOOTHED) {
      for (var k = 0u; k < K; k++) {
        loss -= spread * (logits[row + k] - largest - log_sum);
      }
    }
    if (class_number >= 0 && class_number < i32(K)) {
      let log_p = logits[row + u32(class_number)] - largest - log_sum;
      loss -= (1.0 - params.smoothing) * log_p;
    } else {
      let nan_bits = 0x7fc00000u;
      loss = bitcast<f32>(nan_bits);
    }
  }
  losses[n] = loss;
  if (KEEP_STATISTICS) {
    statistics[n] = largest;
    statistics[N + n] = log_sum;
    statistics[2u * N + n] = total;
  }
}
