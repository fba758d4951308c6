// Softmax along one axis, or its logarithm, a workgroup per row. Improves softmax_forward_naive for
// long rows: 64 invocations share a row, each takes every 64th element; maximum and sum are then
// combined in pairs, quads … through workgroup memory, always in the same order.
//
//   x [outer K inner]  read
//   y [outer K inner]  written
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

  // Invocations without an element of their own repeat the first.
  var own = x[begin];
  for (var k = local; k < params.K; k += 64u) {
    own = max(own, x[begin + k * inner]);
  }
  shared_values[local] = own;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (local < half) {
      shared_values[local] = max(shared_values[local], shared_values[local + half]);
    }
    workgroupBarrier();
  }
  let largest = shared_values[0];
  workgroupBarrier();

  own = 0.0;
  for (var k = local; k < params.K; k += 64u) {
    own += full_exp(x[begin + k * inner] - largest);
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
  let log_sum = full_log(sum);

  for (var k = local; k < params.K; k += 64u) {
    let d = x[begin + k * inner] - largest;
    if (IS_LOG) {
      y[begin + k * inner] = d - log_sum;
    } else {
      y[begin + k * inner] = exp(d) / sum;
    }
  }
}
