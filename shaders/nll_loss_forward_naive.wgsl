// Negative log-likelihood of each row: loss[n] = −logProbabilities[n, classes[n]]. Mean and sum
// follow in loss_reduction.
//
// One invocation takes one row; a workgroup of 64 takes 64 neighbouring rows.
//   log_probabilities [N K]  read
//   classes           [N]    read
//   losses            [N]    written; NaN where the class lies outside 0 … K − 1
// Limits: WebGPU's defaults.

struct Params {
  N: u32,
  K: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> log_probabilities: array<f32>;
@group(0) @binding(2) var<storage, read> classes: array<i32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;

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
  if (class_number >= 0 && class_number < i32(params.K)) {
    losses[n] = -log_probabilities[n * params.K + u32(class_number)];
  } else {
    let nan_bits = 0x7fc00000u;
    losses[n] = bitcast<f32>(nan_bits);
  }
}
