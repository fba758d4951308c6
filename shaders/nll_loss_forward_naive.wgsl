// Negative log-likelihood of each row: loss[n] = −w[c] · logProbabilities[n, c] with
// c = classes[n], w = 1 unless WEIGHTED. Mean and sum follow in loss_reduction.
//
// One invocation takes one row; a workgroup of 64 takes 64 neighbouring rows.
//   log_probabilities [N K]  read
//   classes           [N]    read
//   weights           [K]    read where WEIGHTED: w, of each class
//   losses            [N]    written; NaN where the class lies outside 0 … K − 1
//                            and from `weights_at` on, where KEEP_WEIGHTS, w[c], which a mean is
//                            divided by
// A row whose class is `ignored` has no loss and no weight, where HAS_IGNORED.
// Overrides: KEEP_WEIGHTS; WEIGHTED; HAS_IGNORED.
// Limits: WebGPU's defaults.

override KEEP_WEIGHTS: bool = false;
override WEIGHTED: bool = false;
override HAS_IGNORED: bool = false;

struct Params {
  N: u32,
  K: u32,
  ignored: i32,
  weights_at: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> log_probabilities: array<f32>;
@group(0) @binding(2) var<storage, read> classes: array<i32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;
@group(0) @binding(4) var<storage, read> weights: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let n = (group.y * groups.x + group.x) * 64u + local;
  if (n >= params.N) {
    return;
  }
  let class_number = classes[n];
  var loss = 0.0;
  var row_weight = 1.0;
  if (HAS_IGNORED && class_number == params.ignored) {
    row_weight = 0.0;
  } else if (class_number >= 0 && class_number < i32(params.K)) {
    if (WEIGHTED) {
      row_weight = weights[class_number];
    }
    let log_p = log_probabilities[n * params.K + u32(class_number)];
    // A class without weight adds nothing, however improbable it is.
    loss = select(-row_weight * log_p, 0.0, row_weight == 0.0 && log_p < -3.4028234e38);
  } else {
    let nan_bits = 0x7fc00000u;
    loss = bitcast<f32>(nan_bits);
  }
  losses[n] = loss;
  if (KEEP_WEIGHTS) {
    losses[params.weights_at + n] = row_weight;
  }
}
