// Winograd's gradient of a 3×3 filter, F(3×3, 2×2), first part: tiles of dy, E = G·dy·Gᵀ.
//
// The gradient is itself a convolution, dw[r,s] = Σ x[p+r, q+s] · dy[p,q], whose filter is dy. Cut
// into tiles of 2×2 it is a sum of small convolutions with 3×3 outputs from 4×4 inputs, each of which
// needs 16 products instead of 36 (Lavin and Gray, arXiv:1509.09308, section 4.1 with r and m changed
// round): dw = Σ Aᵀ·(Bᵀ·x·B ⊙ G·dy·Gᵀ)·A, where
//        1   0             1  1  1  0
//   G =  ½   ½      Aᵀ  =  0  1 −1  0       Bᵀ·x·B as in conv2d_winograd_input with F = 2.
//        ½  −½             0  1  1 −1
//        0   1
// Aᵀ and A do not depend on the tile, so the sum is done first: 16 matrix products over all tiles.
//
// One invocation transforms 2×2 pixels of four channels; pixels beside dy are 0. A workgroup of 64
// takes 64 neighbours, channels first.
//   dy [N P Q K]     read, as vec4 along K; K a multiple of 4
//   e  [16 tiles K]  written, as vec4 along K; tiles are N·⌈P/2⌉·⌈Q/2⌉, row by row
// Limits: WebGPU's defaults.

alias Line = array<vec4<f32>, 4>;

struct Params {
  y_shape: vec4<u32>,
  tiles: vec2<u32>, // of one image: rows, columns
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> e: array<vec4<f32>>;

/// G times two pixels.
fn along(a: vec4<f32>, b: vec4<f32>) -> Line {
  return Line(a, 0.5 * (a + b), 0.5 * (a - b), b);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let P = params.y_shape.y;
  let Q = params.y_shape.z;
  let K4 = params.y_shape.w / 4u;
  let tiles_of_image = params.tiles.x * params.tiles.y;
  let vectors = params.y_shape.x * tiles_of_image * K4;

  let i = (group.y * groups.x + group.x) * 64u + local;
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
  let left = along(pixels[0], pixels[2]);
  let right = along(pixels[1], pixels[3]);
  for (var row = 0u; row < 4u; row++) {
    let line = along(left[row], right[row]);
    for (var column = 0u; column < 4u; column++) {
      e[(row * 4u + column) * vectors + i] = line[column];
    }
  }
}
