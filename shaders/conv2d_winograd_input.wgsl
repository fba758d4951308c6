// Winograd's convolution F(F×F, 3×3), second part: tiles of the input, V = Bᵀ·x·B.
// The whole is explained in conv2d_winograd_filter.
//
// One invocation transforms T×T pixels (T = F + 2; neighbouring tiles overlap by 2) of four
// channels; pixels beside the image are 0. A workgroup of 64 takes 64 neighbours, channels first.
//   x [N H W C]      read, as vec4 along C; C a multiple of 4
//   v [T² tiles C]   written, as vec4 along C; tiles are N·⌈P/F⌉·⌈Q/F⌉, row by row
// Tunables: F, 2 or 4. Limits: WebGPU's defaults.

const F: u32 = 2u; // @tune
const T: u32 = F + 2u;
alias Line = array<vec4<f32>, 6>; // F = 2 leaves the last two unused

struct Params {
  x_shape: vec4<u32>,
  pad: vec2<i32>,
  tiles: vec2<u32>, // of one image: rows, columns
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> v: array<vec4<f32>>;

/// Bᵀ times T pixels.
fn along(d: Line) -> Line {
  var line: Line;
  if (F == 2u) {
    line[0] = d[0] - d[2];
    line[1] = d[1] + d[2];
    line[2] = d[2] - d[1];
    line[3] = d[1] - d[3];
  } else {
    line[0] = 4.0 * d[0] - 5.0 * d[2] + d[4];
    line[1] = d[4] + d[3] - 4.0 * (d[1] + d[2]);
    line[2] = d[4] - d[3] + 4.0 * (d[1] - d[2]);
    line[3] = d[4] - d[2] + 2.0 * (d[3] - d[1]);
    line[4] = d[4] - d[2] - 2.0 * (d[3] - d[1]);
    line[5] = 4.0 * d[1] - 5.0 * d[3] + d[5];
  }
  return line;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let H = params.x_shape.y;
  let W = params.x_shape.z;
  let C4 = params.x_shape.w / 4u;
  let tiles_of_image = params.tiles.x * params.tiles.y;
  let vectors = params.x_shape.x * tiles_of_image * C4;

  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= vectors) {
    return;
  }
  let c4 = i % C4;
  let tile = i / C4;
  let n = tile / tiles_of_image;
  let place = vec2<u32>(tile % tiles_of_image / params.tiles.y, tile % params.tiles.y);
  let corner = vec2<i32>(place * F) - params.pad;

  var columns: array<Line, T>; // after Bᵀ·x
  for (var j = 0u; j < T; j++) {
    var pixels = Line();
    for (var k = 0u; k < T; k++) {
      // As unsigned numbers, those left of or above the image are too large as well.
      let at = vec2<u32>(corner + vec2<i32>(i32(k), i32(j)));
      if (at.x < H && at.y < W) {
        pixels[k] = x[((n * H + at.x) * W + at.y) * C4 + c4];
      }
    }
    columns[j] = along(pixels);
  }
  for (var row = 0u; row < T; row++) {
    var across: Line;
    for (var j = 0u; j < T; j++) {
      across[j] = columns[j][row];
    }
    let line = along(across);
    for (var column = 0u; column < T; column++) {
      v[(row * T + column) * vectors + i] = line[column];
    }
  }
}
