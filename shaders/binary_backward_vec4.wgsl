// da = dy · ∂f/∂a or db = dy · ∂f/∂b at every element of y. Improves binary_backward_naive where
// each operand is as large as y, a scalar, or repeated in whole rows of the last axis: four
// neighbouring elements per invocation, and at most one index is decomposed for them.
//
// A workgroup of 64 covers 256 elements; the grid may be folded into two dimensions, and elements
// past the end fall into the padding.
//   dy [L]  read      a  read      b  read      gradient [L]  written
// How an operand lies next to the output, by its override: a number of lib/broadcast_vec4.wgsl.
// Overrides: OP, a number of lib/binary.wgsl; IS_RIGHT, db instead of da; A_ACCESS, B_ACCESS.
// Limits: WebGPU's defaults.
// @use lib/binary.wgsl
// @use lib/broadcast_vec4.wgsl
// @use lib/exp_log.wgsl

override OP: u32 = 2u;
override IS_RIGHT: bool = false;
override A_ACCESS: u32 = 0u;
override B_ACCESS: u32 = 0u;

struct Params {
  quads: u32,
  trailing: u32, // vectors of four in the last axis
  block: u32, // and in the last two
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> gradient: array<vec4<f32>>;

fn load_a(i: u32) -> vec4<f32> {
  let quad = a[quad_at(i, A_ACCESS, params.trailing, params.block)];
  if (A_ACCESS == 1u) {
    return quad.xxxx;
  }
  if (A_ACCESS == 4u) {
    return vec4<f32>(quad[i / params.trailing % 4u]);
  }
  return quad;
}

fn load_b(i: u32) -> vec4<f32> {
  let quad = b[quad_at(i, B_ACCESS, params.trailing, params.block)];
  if (B_ACCESS == 1u) {
    return quad.xxxx;
  }
  if (B_ACCESS == 4u) {
    return vec4<f32>(quad[i / params.trailing % 4u]);
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
  let left = load_a(i);
  let right = load_b(i);
  if (IS_RIGHT) {
    gradient[i] = dy[i] * vec4<f32>(
      binary_slope_b(left.x, right.x, OP),
      binary_slope_b(left.y, right.y, OP),
      binary_slope_b(left.z, right.z, OP),
      binary_slope_b(left.w, right.w, OP),
    );
  } else {
    gradient[i] = dy[i] * vec4<f32>(
      binary_slope_a(left.x, right.x, OP),
      binary_slope_a(left.y, right.y, OP),
      binary_slope_a(left.z, right.z, OP),
      binary_slope_a(left.w, right.w, OP),
    );
  }
}
