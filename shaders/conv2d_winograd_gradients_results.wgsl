// Both gradients of Winograd's convolution F(2×2, 3×3), last part: what conv2d_winograd_output makes of
// the first product, with a residual, and conv2d_winograd_grad_filter of the second, in one dispatch.
//
// filter_groups workgroups of 64 make the taps of one c and four k an invocation. Dealt out among them
// image_groups make 2×2 pixels of four channels; pixels beside the image are dropped.
//   m_dx     [16 tiles C]  read, as vec4 along C; C a multiple of 4; tiles are N·⌈H/2⌉·⌈W/2⌉, row by row
//   residual [N H W C]     read where HAS_RESIDUAL, as vec4 along C
//   dx       [N H W C]     written, as vec4 along C: Aᵀ·m·A for F(2×2, 3×3)
//   m_dw     [16 C K]      read, as vec4 along K; K a multiple of 4
//   dw       [3 3 C K]     written, as vec4 along K: Aᵀ·m·A for F(3×3, 2×2)
// Overrides: HAS_RESIDUAL. Limits: WebGPU's defaults.
// @use lib/deal.wgsl

alias Outputs = array<vec4<f32>, 2>;
alias Taps = array<vec4<f32>, 3>;

override HAS_RESIDUAL: bool = false;

struct Params {
  x_shape: vec4<u32>,
  tiles: vec2<u32>, // of one image: rows, columns
  filter_vectors: u32, // C·K/4
  filter_groups: u32,
  image_groups: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> m_dx: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> residual: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> m_dw: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> dw: array<vec4<f32>>;

/// Two outputs of four sums of one axis.
fn two_along(a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>) -> Outputs {
  return Outputs(a + b + c, b - c - d);
}

/// Three.
fn three_along(a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>) -> Taps {
  return Taps(a + b + c, b - c, b + c - d);
}

/// Writes the 2×2 pixels of vector i.
fn make_pixels(i: u32) {
  let H = params.x_shape.y;
  let W = params.x_shape.z;
  let C4 = params.x_shape.w / 4u;
  let tiles_of_image = params.tiles.x * params.tiles.y;
  let V = params.x_shape.x * tiles_of_image * C4;
  if (i >= V) {
    return;
  }
  let c4 = i % C4;
  let tile = i / C4;
  let n = tile / tiles_of_image;
  let corner = vec2<u32>(tile % tiles_of_image / params.tiles.y, tile % params.tiles.y) * 2u;

  var columns: array<Outputs, 4>; // after Aᵀ·m
  for (var j = 0u; j < 4u; j++) {
    columns[j] = two_along(
      m_dx[j * V + i],
      m_dx[(4u + j) * V + i],
      m_dx[(8u + j) * V + i],
      m_dx[(12u + j) * V + i],
    );
  }
  for (var row = 0u; row < 2u; row++) {
    let outputs = two_along(columns[0][row], columns[1][row], columns[2][row], columns[3][row]);
    for (var column = 0u; column < 2u; column++) {
      let at = corner + vec2<u32>(row, column);
      if (at.x < H && at.y < W) {
        let to = ((n * H + at.x) * W + at.y) * C4 + c4;
        var z = outputs[column];
        if (HAS_RESIDUAL) {
          z += residual[to];
        }
        dx[to] = z;
      }
    }
  }
}

/// Writes the nine taps of vector i.
fn make_taps(i: u32) {
  let V = params.filter_vectors;
  if (i >= V) {
    return;
  }
  var columns: array<Taps, 4>; // after Aᵀ·m
  for (var j = 0u; j < 4u; j++) {
    columns[j] = three_along(
      m_dw[j * V + i],
      m_dw[(4u + j) * V + i],
      m_dw[(8u + j) * V + i],
      m_dw[(12u + j) * V + i],
    );
  }
  for (var r = 0u; r < 3u; r++) {
    let taps = three_along(columns[0][r], columns[1][r], columns[2][r], columns[3][r]);
    for (var s = 0u; s < 3u; s++) {
      dw[(3u * r + s) * V + i] = taps[s];
    }
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let share = deal(
    group.y * groups.x + group.x,
    params.filter_groups,
    params.image_groups,
  );
  if (share.is_first) {
    make_taps(share.place * 64u + local);
  } else {
    make_pixels(share.place * 64u + local);
  }
}
