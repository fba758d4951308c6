// y = condition ≠ 0 ? a : b. Improves where_forward_naive where each operand is as large as y, a
// scalar, or [K] along the last axis: four neighbouring elements an invocation.
//
// A workgroup of 64 covers 256 elements; the grid may be folded into two dimensions, and elements
// past the end fall into the padding.
//   condition  read      a  read      b  read      y [L]  written
// How an operand lies next to the output, by its override: 0 full, of the output's size;
//   1 scalar, one number for all; 2 trailing, [K] along the last axis of an output [… K], where K
//   is a multiple of four.
// Tunables: Condition, the element type of the condition (f32, i32, u32).
// Overrides: CONDITION_ACCESS, A_ACCESS, B_ACCESS.
// Limits: WebGPU's defaults.

alias Condition = u32; // @tune

override CONDITION_ACCESS: u32 = 0u;
override A_ACCESS: u32 = 0u;
override B_ACCESS: u32 = 0u;

struct Params {
  quads: u32,
  trailing: u32, // vectors of four in the last axis
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> condition: array<vec4<Condition>>;
@group(0) @binding(2) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

fn load_condition(i: u32) -> vec4<Condition> {
  switch (CONDITION_ACCESS) {
    case 1u: { return vec4<Condition>(condition[0].x); }
    case 2u: { return condition[i % params.trailing]; }
    default: { return condition[i]; }
  }
}

fn load_a(i: u32) -> vec4<f32> {
  switch (A_ACCESS) {
    case 1u: { return vec4<f32>(a[0].x); }
    case 2u: { return a[i % params.trailing]; }
    default: { return a[i]; }
  }
}

fn load_b(i: u32) -> vec4<f32> {
  switch (B_ACCESS) {
    case 1u: { return vec4<f32>(b[0].x); }
    case 2u: { return b[i % params.trailing]; }
    default: { return b[i]; }
  }
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
  y[i] = select(load_b(i), load_a(i), load_condition(i) != vec4<Condition>(Condition(0)));
}
