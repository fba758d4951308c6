// da = dy · ∂f/∂a or db = dy · ∂f/∂b at every element of y, one per invocation; what an operand was
// repeated along is summed afterwards (reduce_forward_*).
//
// A workgroup of 64 covers 64 neighbours; the grid may be folded into two dimensions.
//   dy [L]  read      a [any]  read      b [any]  read      gradient [L]  written
// The strides of an operand are 0 along the axes it is repeated along.
// Overrides: OP, a number of lib/binary.wgsl; IS_RIGHT, db instead of da.
// Limits: WebGPU's defaults.
// @use lib/binary.wgsl
// @use lib/broadcast.wgsl
// @use lib/exp_log.wgsl

override OP: u32 = 2u;
override IS_RIGHT: bool = false;

struct Params {
  outer_shape: vec3<u32>,
  size: u32,
  inner_shape: vec3<u32>,
  a_outer: vec3<u32>,
  a_inner: vec3<u32>,
  b_outer: vec3<u32>,
  b_inner: vec3<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.size) {
    return;
  }
  let place = place_of(i, params.outer_shape, params.inner_shape);
  let left = a[offset_at(place, params.a_outer, params.a_inner)];
  let right = b[offset_at(place, params.b_outer, params.b_inner)];
  if (IS_RIGHT) {
    gradient[i] = dy[i] * binary_slope_b(left, right, OP);
  } else {
    gradient[i] = dy[i] * binary_slope_a(left, right, OP);
  }
}
