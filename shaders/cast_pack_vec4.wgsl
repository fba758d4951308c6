// y = bytes of x · scale: rounded to the nearest whole number, halves to even, clamped to 0 … 255.
//
// One invocation takes four neighbouring elements and writes one word, the first in the lowest
// bits; a workgroup of 64 covers 256. The grid may be folded into two dimensions, and elements
// past the end fall into the padding.
//   x [L]  read      of type In
//   y [L]  written   u8, four to a word
// Tunables: In (f32, f16, i32, u32).
// Limits: WebGPU's defaults; shader-f16 where In is f16.

alias In = f32; // @tune

struct Params {
  words: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<In>>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.words) {
    return;
  }
  let scaled = vec4<f32>(x[i]) * params.scale;
  let bytes = vec4<u32>(round(clamp(scaled, vec4<f32>(0.0), vec4<f32>(255.0))));
  let placed = bytes << vec4<u32>(0u, 8u, 16u, 24u);
  y[i] = placed.x | placed.y | placed.z | placed.w;
}
