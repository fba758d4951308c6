// y = x · scale from bytes: how u8 images become numbers on the GPU.
//
// One invocation takes one word of four bytes, the first in the lowest bits, and writes four
// elements; a workgroup of 64 covers 256. The grid may be folded into two dimensions, and
// elements past the end fall into the padding.
//   x [L]  read      u8, four to a word
//   y [L]  written   of type Out
// Tunables: Out (f32, f16, i32, u32). Overrides: HAS_SCALE.
// Limits: WebGPU's defaults; shader-f16 where Out is f16.

alias Out = f32; // @tune

override HAS_SCALE: bool = false;

struct Params {
  words: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<Out>>;

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
  let bytes = (vec4<u32>(x[i]) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u);
  if (HAS_SCALE) {
    y[i] = vec4<Out>(vec4<f32>(bytes) * params.scale);
  } else {
    y[i] = vec4<Out>(bytes);
  }
}
