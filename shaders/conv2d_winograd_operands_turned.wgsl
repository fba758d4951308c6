// Winograd's convolution F(F×F, 3×3): the first part of the input's gradient, where x is dy and the
// filter w′, which is w turned round with input and output exchanged, w′[r s k c] = w[2−r 2−s c k].
// Improves conv2d_flip_filter and conv2d_winograd_operands after it: w′ is never written.
//
// The first filter_groups workgroups of 64 transform the taps of four c and four k an invocation,
// which loads them along k and stores them along c; the others T×T pixels of four channels.
//   w [3 3 C K]     read, as vec4 along K; C and K multiples of 4
//   u [T² K C]      written, as vec4 along C; T = F + 2
//   x [N P Q K]     read, as vec4 along K: dy
//   v [T² tiles K]  written, as vec4 along K; tiles are N·⌈H/F⌉·⌈W/F⌉, row by row
// Tunables: F, 2 or 4. Limits: WebGPU's defaults.
// @use lib/winograd_filter.wgsl
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
  K4: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> u: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4<f32>>;

/// Writes four vectors of U, those of block i of 4×4 channels.
fn transform_filter(i: u32) {
  let C4 = params.C4;
  let K4 = params.K4;
  if (i >= C4 * K4) {
    return;
  }
  let c4 = i % C4;
  let k4 = i / C4;

  // Tap (r, s) of w′ for four k: the vectors along c that a transposed 4×4 block holds.
  var blocks: array<mat4x4<f32>, 9>;
  for (var tap = 0u; tap < 9u; tap++) {
    let from_w = ((8u - tap) * C4 * 4u + c4 * 4u) * K4 + k4;
    blocks[tap] = transpose(
      mat4x4<f32>(w[from_w], w[from_w + K4], w[from_w + 2u * K4], w[from_w + 3u * K4]),
    );
  }
  for (var k = 0u; k < 4u; k++) {
    var taps: array<vec4<f32>, 9>;
    for (var tap = 0u; tap < 9u; tap++) {
      taps[tap] = blocks[tap][k];
    }
    let rows = filter_tile(taps);
    for (var row = 0u; row < T; row++) {
      for (var column = 0u; column < T; column++) {
        u[((row * T + column) * K4 * 4u + k4 * 4u + k) * C4 + c4] = rows[row][column];
      }
    }
  }
}

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
