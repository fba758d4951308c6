// da = dy where the condition is not 0, or db = dy where it is 0, else nothing, at every element of
// y, one per invocation; what an operand was repeated along is summed afterwards (reduce_forward_*).
//
// A workgroup of 64 covers 64 neighbours; the grid may be folded into two dimensions.
//   dy [L]  read      condition [any]  read      gradient [L]  written
// The strides of the condition are 0 along the axes it is repeated along.
// Tunables: Condition, the element type of the condition (f32, i32, u32).
// Overrides: IS_RIGHT, db instead of da.
// Limits: WebGPU's defaults.
// @use lib/broadcast.wgsl

alias Condition = u32; // @tune

override IS_RIGHT: bool = false;

struct Params {
  outer_shape: vec3<u32>,
  size: u32,
  inner_shape: vec3<u32>,
  condition_outer: vec3<u32>,
  condition_inner: vec3<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> condition: array<Condition>;
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>;

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
  let at = offset_at(place, params.condition_outer, params.condition_inner);
  let is_left = condition[at] != Condition(0);
  gradient[i] = select(0.0, dy[i], is_left != IS_RIGHT);
}
