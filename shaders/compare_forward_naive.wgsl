// y = 1 where a comparison of a and b holds, else 0, both repeated to a common shape as in NumPy; one
// element of y per invocation.
//
// A workgroup of 64 covers 64 neighbours; the grid may be folded into two dimensions.
//   a [any]  read      b [any]  read, words of f32, i32 or u32      y [L]  written, f32
// The strides of an operand are 0 along the axes it is repeated along.
// Overrides: OP and KIND, numbers of lib/compare.wgsl.
// Limits: WebGPU's defaults.
// @use lib/order.wgsl
// @use lib/compare.wgsl
// @use lib/broadcast.wgsl

override OP: u32 = 0u;
override KIND: u32 = 0u;

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
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

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
  y[i] = compared(left, right, OP, KIND);
}
