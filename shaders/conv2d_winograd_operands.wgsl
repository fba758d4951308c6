// Winograd's convolution F(F×F, 3×3), first part: the filter, U = G·w·Gᵀ, and tiles of the input,
// V = Bᵀ·x·B. Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, arXiv:1509.09308.
//
// A tile of F×F outputs is computed from T×T inputs, T = F + 2, with T² products per channel instead
// of 9·F²: y = Aᵀ·(U ⊙ Bᵀ·x·B)·A. The sums over channels then are T² matmuls, one for each
// element of the tile; conv2d_winograd_output makes y of them.
//
// Two jobs in one dispatch, as neither waits for the other: the first filter_groups workgroups of
// 64 transform the taps of one c and four k per invocation, the others T×T pixels of four channels.
//   w [3 3 C K]     read, as vec4 along K; K a multiple of 4
//   u [T² C K]      written, as vec4 along K
//   x [N H W C]     read, as vec4 along C; C a multiple of 4
//   v [T² tiles C]  written, as vec4 along C; tiles are N·⌈P/F⌉·⌈Q/F⌉, row by row
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
  filter_vectors: u32, // C·K/4
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> u: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4<f32>>;

/// Writes vector i of U.
fn transform_filter(i: u32) {
  let vectors = params.filter_vectors;
  if (i >= vectors) {
    return;
  }
  var taps: array<vec4<f32>, 9>;
  for (var tap = 0u; tap < 9u; tap++) {
    taps[tap] = w[tap * vectors + i];
  }
  let rows = filter_tile(taps);
  for (var row = 0u; row < T; row++) {
    for (var column = 0u; column < T; column++) {
      u[(row * T + column) * vectors + i] = rows[row][column];
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
