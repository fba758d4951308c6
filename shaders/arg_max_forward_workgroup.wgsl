// y[o, i] = the r at which x[o, r, i] is largest (smallest where IS_MIN), the first where several
// tie; the first NaN if there is one. Improves arg_max_forward_naive for long rows: 64
// invocations share the row of one output.
//
// One workgroup computes one output. Invocation j looks at r = j, j + 64, …; then the 64 results
// are halved six times, and of equals the smaller index wins. The grid may be folded into two
// dimensions.
//   x [outer, length, inner]  read
//   y [outer, inner]          written, i32
// Overrides: IS_MIN.
// Limits: WebGPU's defaults.
// @use lib/order.wgsl

override IS_MIN: bool = false;

struct Params {
  outputs: u32,
  length: u32,
  inner: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<i32>;

var<workgroup> ranks: array<u32, 64>;
var<workgroup> indices: array<u32, 64>;

fn rank_of(value: f32) -> u32 {
  if (IS_MIN) {
    return reverse_order_key(value);
  }
  return order_key(value);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  // The same for the whole workgroup, so that all of it meets every barrier or none does.
  let output = group.y * groups.x + group.x;
  if (output >= params.outputs) {
    return;
  }
  let first = (output / params.inner) * params.length * params.inner + output % params.inner;
  // Of a row shorter than the workgroup the last element is looked at again, which changes nothing.
  var index = min(local, params.length - 1u);
  var best = rank_of(x[first + index * params.inner]);
  for (var r = local + 64u; r < params.length; r += 64u) {
    let rank = rank_of(x[first + r * params.inner]);
    if (rank > best) {
      best = rank;
      index = r;
    }
  }
  ranks[local] = best;
  indices[local] = index;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (local < half) {
      let other = ranks[local + half];
      let other_index = indices[local + half];
      if (other > ranks[local] || (other == ranks[local] && other_index < indices[local])) {
        ranks[local] = other;
        indices[local] = other_index;
      }
    }
    workgroupBarrier();
  }
  if (local == 0u) {
    y[output] = i32(indices[0]);
  }
}
