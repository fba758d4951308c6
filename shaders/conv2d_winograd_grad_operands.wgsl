// Winograd's gradient of a 3×3 filter, F(3×3, 2×2), first part: tiles of dy, E = G·dy·Gᵀ, and tiles
// of the input, V = Bᵀ·x·B.
//
// The gradient is itself a convolution, dw[r,s] = Σ x[p+r, q+s] · dy[p,q], whose filter is dy. Cut
// into tiles of 2×2 it is a sum of small convolutions with 3×3 outputs from 4×4 inputs, each of which
// needs 16 products instead of 36 (Lavin and Gray, arXiv:1509.09308, section 4.1 with r and m changed
// round): dw = Σ Aᵀ·(Bᵀ·x·B ⊙ G·dy·Gᵀ)·A, where
//        1   0             1  1  1  0
//   G =  ½   ½      Aᵀ  =  0  1 −1  0       Bᵀ·x·B as for F(2×2, 3×3).
//        ½  −½             0  1  1 −1
//        0   1
// Aᵀ and A do not depend on the tile, so the sum is done first: 16 matmuls over all tiles,
// of which conv2d_winograd_grad_filter makes dw.
//
// Two jobs in one dispatch: the first grad_groups workgroups of 64 transform 2×2 pixels of four
// channels of dy an invocation, the others 4×4 pixels of x; pixels beside the image are 0.
//   dy [N P Q K]     read, as vec4 along K; K a multiple of 4
//   e  [16 tiles K]  written, as vec4 along K; tiles are N·⌈P/2⌉·⌈Q/2⌉, row by row
//   x  [N H W C]     read, as vec4 along C; C a multiple of 4
//   v  [16 tiles C]  written, as vec4 along C
// Limits: WebGPU's defaults.
// @use lib/winograd_input.wgsl

const F: u32 = 2u;
const T: u32 = 4u;
alias Line = array<vec4<f32>, 6>; // the last two are unused

struct Params {
  x_shape: vec4<u32>,
  y_shape: vec4<u32>,
  pad: vec2<i32>,
  tiles: vec2<u32>, // of one image: rows, columns
  grad_groups: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> e: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4<f32>>;

/// G times two pixels.
fn grad_line(a: vec4<f32>, b: vec4<f32>) -> array<vec4<f32>, 4> {
  return array<vec4<f32>, 4>(a, 0.5 * (a + b), 0.5 * (a - b), b);
}

/// Writes vector i of E.
fn transform_grad(i: u32) {
  let P = params.y_shape.y;
  let Q = params.y_shape.z;
  let K4 = params.y_shape.w / 4u;
  let tiles_of_image = params.tiles.x * params.tiles.y;
  let vectors = params.y_shape.x * tiles_of_image * K4;
  if (i >= vectors) {
    return;
  }
  let k4 = i % K4;
  let tile = i / K4;
  let n = tile / tiles_of_image;
  let corner = vec2<u32>(tile % tiles_of_image / params.tiles.y, tile % params.tiles.y) * 2u;

  var pixels: array<vec4<f32>, 4>;
  for (var j = 0u; j < 4u; j++) {
    let at = corner + vec2<u32>(j / 2u, j % 2u);
    if (at.x < P && at.y < Q) {
      pixels[j] = dy[((n * P + at.x) * Q + at.y) * K4 + k4];
    }
  }
  let left = grad_line(pixels[0], pixels[2]);
  let right = grad_line(pixels[1], pixels[3]);
  for (var row = 0u; row < 4u; row++) {
    let line = grad_line(left[row], right[row]);
    for (var column = 0u; column < 4u; column++) {
      e[(row * 4u + column) * vectors + i] = line[column];
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
  if (number < params.grad_groups) {
    transform_grad(number * 64u + local);
  } else {
    transform_input((number - params.grad_groups) * 64u + local);
  }
}
