// Softmax and cross-entropy of each row in one go:
//   loss[n] = −Σ_k t[n,k] · log p[n,k],   log p[n,k] = x[n,k] − max_n − log Σ_j exp(x[n,j] − max_n)
// with t = w[k] · ((1 − smoothing) · labels + smoothing / K), w = 1 unless WEIGHTED. Probabilities are never stored, and the
// largest logit is subtracted first, so that exp cannot overflow.
//
// One invocation computes one row; a workgroup of 64 computes 64 neighbouring rows.
//   logits     [N K]  read
//   classes    [N]    read unless DENSE: class numbers
//   targets    [N K]  read where DENSE: probabilities of the classes
//   weights    [K]    read where WEIGHTED: w, of each class
//   losses     [N]    written
//                     and from `weights_at` on, where KEEP_WEIGHTS, w of each row's class, which a
//                     mean is divided by
//   statistics [3 N]  written where KEEP_STATISTICS, for the gradient: the largest logit of each
//                     row, log Σ exp, and Σ_k t[n,k]
// A row whose class number is `ignored` has no loss and no weight, where HAS_IGNORED.
// A class number outside 0 … K − 1 makes the row's loss NaN. A logit of −∞ at a target of 0 adds
// nothing: 0 · log 0 = 0.
// Overrides: DENSE; KEEP_STATISTICS; KEEP_WEIGHTS; WEIGHTED; HAS_IGNORED; IS_SMOOTHED, where
// smoothing > 0.
// Limits: WebGPU's defaults.
// @use lib/exp_log.wgsl

override DENSE: bool = false;
override KEEP_STATISTICS: bool = false;
override KEEP_WEIGHTS: bool = false;
override IS_SMOOTHED: bool = false;
override WEIGHTED: bool = false;
override HAS_IGNORED: bool = false;

struct Params {
  N: u32,
  K: u32,
  smoothing: f32,
  ignored: i32,
  weights_at: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> classes: array<i32>;
@group(0) @binding(3) var<storage, read> targets: array<f32>;
@group(0) @binding(4) var<storage, read_write> losses: array<f32>;
@group(0) @binding(5) var<storage, read_write> statistics: array<f32>;
@group(0) @binding(6) var<storage, read> weights: array<f32>;

fn weight_of(k: u32) -> f32 {
  if (WEIGHTED) {
    return weights[k];
  }
  return 1.0;
}

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
  var total = 0.0;
  var row_weight = 1.0;
  if (DENSE) {
    for (var k = 0u; k < K; k++) {
      let t = weight_of(k) * ((1.0 - params.smoothing) * targets[row + k] + spread);
      loss += part_of_loss(t, logits[row + k] - largest - log_sum);
      total += t;
    }
  } else {
    let class_number = classes[n];
    if (HAS_IGNORED && class_number == params.ignored) {
      row_weight = 0.0;
    } else if (class_number >= 0 && class_number < i32(K)) {
      if (IS_SMOOTHED) {
        for (var k = 0u; k < K; k++) {
          let t = weight_of(k) * spread;
          loss += part_of_loss(t, logits[row + k] - largest - log_sum);
          total += t;
        }
      }
      row_weight = weight_of(u32(class_number));
      let t = row_weight * (1.0 - params.smoothing);
      loss += part_of_loss(t, logits[row + u32(class_number)] - largest - log_sum);
      total = select(1.0, total + t, WEIGHTED);
    } else {
      let nan_bits = 0x7fc00000u;
      loss = bitcast<f32>(nan_bits);
    }
  }
  if (KEEP_WEIGHTS) {
    losses[params.weights_at + n] = row_weight;
  }
  losses[n] = loss;
  if (KEEP_STATISTICS) {
    statistics[n] = largest;
    statistics[N + n] = log_sum;
    statistics[2u * N + n] = total;
  }
}
