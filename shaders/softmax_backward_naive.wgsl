// Gradient of softmax along one axis, or of its logarithm, from the output:
//   softmax     dx = y · (dy − Σ dy · y)
//   logSoftmax  dx = dy − exp(y) · Σ dy
//
// One invocation computes one row along the axis; a workgroup of 64 takes 64 neighbouring rows.
//   dy [outer K inner]  read
//   y  [outer K inner]  read
//   dx [outer K inner]  written
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
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

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
  var sum = 0.0;
  for (var at = begin; at < end; at += inner) {
    if (IS_LOG) {
      sum += dy[at];
    } else {
      sum += dy[at] * y[at];
    }
  }
  for (var at = begin; at < end; at += inner) {
    if (IS_LOG) {
      dx[at] = dy[at] - full_exp(y[at]) * sum;
    } else {
      dx[at] = y[at] * (dy[at] - sum);
    }
  }
}
