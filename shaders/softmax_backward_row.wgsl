// Gradient of softmax along one axis, or of its logarithm, a workgroup per row. Improves
// softmax_backward_naive for long rows: 64 invocations share a row and add up its sum in pairs,
// quads … through workgroup memory, always in the same order.
//
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

var<workgroup> shared_values: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let row = group.y * groups.x + group.x;
  // The whole workgroup leaves together.
  if (row >= params.rows) {
    return;
  }
  let inner = params.inner;
  let begin = (row / inner) * params.K * inner + row % inner;
  var own = 0.0;
  for (var k = local; k < params.K; k += 64u) {
    let at = begin + k * inner;
    if (IS_LOG) {
      own += dy[at];
    } else {
      own += dy[at] * y[at];
    }
  }
  shared_values[local] = own;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (local < half) {
      shared_values[local] += shared_values[local + half];
    }
    workgroupBarrier();
  }
  let sum = shared_values[0];
  for (var k = local; k < params.K; k += 64u) {
    let at = begin + k * inner;
    if (IS_LOG) {
      dx[at] = dy[at] - full_exp(y[at]) * sum;
    } else {
      dx[at] = y[at] * (dy[at] - sum);
    }
  }
}
