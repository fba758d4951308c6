// Softmax along one axis, or its logarithm:
//   softmax     y = exp(x − max) / Σ exp(x − max)
//   logSoftmax  y = x − max − log Σ exp(x − max)
// The largest value is subtracted first, so that exp cannot overflow.
//
// One invocation computes one row along the axis; a workgroup of 64 takes 64 neighbouring rows.
//   x [outer K inner]  read
//   y [outer K inner]  written
// Element k of row (o, i) lies at (o · K + k) · inner + i.
// Overrides: IS_LOG.
// Limits: WebGPU's defaults.
// @use lib/exp_log.wgsl

override IS_LOG: bool = false;

struct Params {
  rows: u32, // outer · inner
  K: u32,
  inner: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let row = (group.y * groups.x + group.x) * 64u + local;
  if (row >= params.rows) {
    return;
  }
  let inner = params.inner;
  let begin = (row / inner) * params.K * inner + row % inner;
  let end = begin + params.K * inner;

  var largest = x[begin];
  for (var at = begin; at < end; at += inner) {
    largest = max(largest, x[at]);
  }
  var sum = 0.0;
  for (var at = begin; at < end; at += inner) {
    sum += full_exp(x[at] - largest);
  }
  let log_sum = full_log(sum);
  for (var at = begin; at < end; at += inner) {
    let d = x[at] - largest;
    if (IS_LOG) {
      y[at] = d - log_sum;
    } else {
      y[at] = exp(d) / sum;
    }
  }
}
