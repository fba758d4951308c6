// da = dy where the condition is not 0, or db = dy where it is 0, else nothing. Improves
// where_backward_naive where the condition is as large as y, a scalar, or repeated in whole rows of
// the last axis: four neighbouring elements per invocation.
//
// A workgroup of 64 covers 256 elements; the grid may be folded into two dimensions, and elements
// past the end fall into the padding.
//   dy [L]  read      condition  read      gradient [L]  written
// How an operand lies next to the output, by its override: a number of lib/broadcast_vec4.wgsl.
// Tunables: Condition, the element type of the condition (f32, i32, u32).
// Overrides: IS_RIGHT, db instead of da; CONDITION_ACCESS.
// Limits: WebGPU's defaults.
// @use lib/broadcast_vec4.wgsl

alias Condition = u32; // @tune

override IS_RIGHT: bool = false;
override CONDITION_ACCESS: u32 = 0u;

struct Params {
  quads: u32,
  trailing: u32, // vectors of four in the last axis
  block: u32, // and in the last two
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> condition: array<vec4<Condition>>;
@group(0) @binding(3) var<storage, read_write> gradient: array<vec4<f32>>;

fn load_condition(i: u32) -> vec4<Condition> {
  let quad = condition[quad_at(i, CONDITION_ACCESS, params.trailing, params.block)];
  if (CONDITION_ACCESS == 1u) {
    return quad.xxxx;
  }
  if (CONDITION_ACCESS == 4u) {
    return vec4<Condition>(quad[i / params.trailing % 4u]);
  }
  return quad;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.quads) {
    return;
  }
  let is_left = load_condition(i) != vec4<Condition>(Condition(0));
  gradient[i] = select(vec4<f32>(0.0), dy[i], is_left != vec4<bool>(IS_RIGHT));
}
