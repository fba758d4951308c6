// y = x with another element type, and with HAS_SCALE y = x · scale. Improves cast_forward_naive:
// four neighbouring elements per invocation, loaded and stored as vectors.
//
// A workgroup of 64 covers 256 elements; the grid may be folded into two dimensions, and elements
// past the end fall into the padding.
//   x [L]  read      of type In
//   y [L]  written   of type Out
// Values out of range of the target are clamped, as in cast_forward_naive.
// Tunables: In, Out (f32, f16, i32, u32). Overrides: NO_NEGATIVES, NO_LARGE, HAS_SCALE.
// Limits: WebGPU's defaults; shader-f16 where In or Out is f16.

alias In = f32; // @tune
alias Out = i32; // @tune

override NO_NEGATIVES: bool = false;
override NO_LARGE: bool = false;
override HAS_SCALE: bool = false;

struct Params {
  size: u32, // vectors of four
  largest: u32, // 2³¹ − 1
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<In>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<Out>>;

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
  var value = x[i];
  if (HAS_SCALE) {
    y[i] = vec4<Out>(vec4<f32>(value) * params.scale);
    return;
  }
  if (NO_NEGATIVES) {
    value = max(value, vec4<In>(In(0)));
  }
  if (NO_LARGE) {
    value = min(value, vec4<In>(In(params.largest)));
  }
  y[i] = vec4<Out>(value);
}
