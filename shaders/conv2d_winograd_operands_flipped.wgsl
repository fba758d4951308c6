// Winograd's convolution F(F×F, 3×3): the first part of the input's gradient, where x is dy and the
// filter w′, which is w flipped with input and output exchanged, w′[r s k c] = w[2−r 2−s c k].
// Improves conv2d_flip_filter and conv2d_winograd_operands after it: w′ is never written.
//
// The first filter_groups workgroups of 64 transform the taps of four c and one k per invocation, the
// others T×T pixels of four channels.
//   w [3 3 C K]     read; C and K multiples of 4
//   u [T² K C]      written, as vec4 along C; T = F + 2
//   x [N P Q K]     read, as vec4 along K: dy
//   v [T² tiles K]  written, as vec4 along K; tiles are N·⌈H/F⌉·⌈W/F⌉, row by row
// Tunables: F, 2 or 4. Limits: WebGPU's defaults.
// @use lib/winograd_filter.wgsl
// @use lib/winograd_filter_flipped.wgsl
// @use lib/winograd_input.wgsl

const F: u32 = 2u; // @tune
const T: u32 = F + 2u;
alias Line = array<vec4<f32>, 6>; // F = 2 leaves the last two unused

struct Params {
  x_shape: vec4<u32>,
  pad: vec2<i32>,
  tiles: vec2<u32>, // of one image: rows, columns
  filter_groups: u32,
  C4: u32,
  K: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> u: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let number = group.y * groups.x + group.x;
  if (number < params.filter_groups) {
    transform_filter(number * 64u + local);
  } else {
    transform_input((number - params.filter_groups) * 64u + local);
  }
}
