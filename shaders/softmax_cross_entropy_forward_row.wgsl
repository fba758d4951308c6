// Softmax and cross-entropy, a workgroup per row. Improves softmax_cross_entropy_forward_naive for
// many classes: 64 invocations share a row, so neighbouring loads are side by side and rows need
// not be many to fill the GPU.
//
// Each invocation takes every 64th class; maximum and sums are then combined in pairs, quads …
// through workgroup memory, always in the same order.
//   logits     [N K]  read
//   classes    [N]    read unless DENSE: class numbers
//   targets    [N K]  read where DENSE: probabilities of the classes
//   weights    [K]    read where WEIGHTED: a factor of each class's part of the loss
//   losses     [N]    written
//                     and from `weights_at` on, where KEEP_WEIGHTS, w of each row's class, which a
//                     mean is divided by
//   statistics [3 N]  written where KEEP_STATISTICS: largest logit, log Σ exp, Σ_k t[n,k]
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

var<workgroup> shared_values: array<f32, 64>;

fn max_of_group(value: f32, local: u32) -> f32 {
  workgroupBarrier();
  shared_values[local] = value;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (local < half) {
      shared_values[local] = max(shared_values[local], shared_values[local + half]);
    }
    workgroupBarrier();
  }
  return shared_values[0];
}

fn sum_of_group(value: f32, local: u32) -> f32 {
  workgroupBarrier();
  shared_values[local] = value;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (local < half) {
      shared_values[local] += shared_values[local + half];
    }
    workgroupBarrier();
  }
  return shared_values[0];
}

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
  let n = group.y * groups.x + group.x;
  // The whole workgroup leaves together.
  if (n >= N) {
    return;
  }
  let row = n * K;

  // Invocations without a class of their own repeat the first.
  var own = logits[row];
  for (var k = local; k < K; k += 64u) {
    own = max(own, logits[row + k]);
  }
  let largest = max_of_group(own, local);
  own = 0.0;
  for (var k = local; k < K; k += 64u) {
    own += full_exp(logits[row + k] - largest);
  }
  let log_sum = full_log(sum_of_group(own, local));

  let spread = params.smoothing / f32(K);
  var loss = 0.0;
  var total = 0.0;
  if (DENSE || IS_SMOOTHED) {
    own = 0.0;
    var own_total = 0.0;
    for (var k = local; k < K; k += 64u) {
      var t = spread;
      if (DENSE) {
        t += (1.0 - params.smoothing) * targets[row + k];
      }
      t *= weight_of(k);
      own += part_of_loss(t, logits[row + k] - largest - log_sum);
      own_total += t;
    }
    loss = sum_of_group(own, local);
    total = sum_of_group(own_total, local);
  }
  if (local != 0u) {
    return;
  }
  var row_weight = 1.0;
  if (!DENSE) {
    let class_number = classes[n];
    if (HAS_IGNORED && class_number == params.ignored) {
      loss = 0.0;
      row_weight = 0.0;
    } else if (class_number >= 0 && class_number < i32(K)) {
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
