// y = x with another element type, and with HAS_SCALE y = x · scale, one element per invocation.
//
// A workgroup of 64 covers 64 neighbours; the grid may be folded into two dimensions.
//   x [L]  read      of type In
//   y [L]  written   of type Out
// Floats become integers by cutting the fraction off. What the target cannot hold goes to the
// nearest end of its range: WGSL does that for floats, but would reinterpret the bits of the other
// integer type, so NO_NEGATIVES (i32 → u32) and NO_LARGE (u32 → i32) clamp first.
// Tunables: In, Out (f32, f16, i32, u32). Overrides: NO_NEGATIVES, NO_LARGE, HAS_SCALE.
// Limits: WebGPU's defaults; shader-f16 where In or Out is f16.

alias In = f32; // @tune
alias Out = i32; // @tune

override NO_NEGATIVES: bool = false;
override NO_LARGE: bool = false;
override HAS_SCALE: bool = false;

struct Params {
  size: u32,
  largest: u32, // 2³¹ − 1
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<In>;
@group(0) @binding(2) var<storage, read_write> y: array<Out>;

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
    y[i] = Out(f32(value) * params.scale);
    return;
  }
  if (NO_NEGATIVES) {
    value = max(value, In(0));
  }
  if (NO_LARGE) {
    value = min(value, In(params.largest));
  }
  y[i] = Out(value);
}
