// Mean and spread of every channel, the plain way: a first loop for the mean, a second for the
// variance around it. Also moves the running statistics towards them.
//
// One invocation takes one channel; a workgroup of 64 takes 64 neighbouring channels.
//   x                [M C]  read; M values of each channel
//   running_mean     [C]    read and written
//   running_variance [C]    read and written; unbiased, M / (M − 1) times the variance
//   statistics       [2 C]  written: the means, then 1 / √(variance + epsilon)
// Limits: WebGPU's defaults.

struct Params {
  rows: u32, // M
  C: u32,
  momentum: f32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> running_mean: array<f32>;
@group(0) @binding(3) var<storage, read_write> running_variance: array<f32>;
@group(0) @binding(4) var<storage, read_write> statistics: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let C = params.C;
  let c = (group.y * groups.x + group.x) * 64u + local;
  if (c >= C) {
    return;
  }
  let count = f32(params.rows);
  // Summed as distances from the first value: far from zero, sums of the values lose digits.
  let first = x[c];
  var sum = 0.0;
  for (var row = 1u; row < params.rows; row++) {
    sum += x[row * C + c] - first;
  }
  let mean = first + sum / count;
  var squares = 0.0;
  for (var row = 0u; row < params.rows; row++) {
    let d = x[row * C + c] - mean;
    squares += d * d;
  }
  let variance = squares / count;
  statistics[c] = mean;
  statistics[C + c] = inverseSqrt(variance + params.epsilon);
  let keep = 1.0 - params.momentum;
  running_mean[c] = keep * running_mean[c] + params.momentum * mean;
  running_variance[c] = keep * running_variance[c] + params.momentum * (squares / (count - 1.0));
}
