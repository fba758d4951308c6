// The input's transform of Winograd's F(F×F, 3×3), V = Bᵀ·x·B, as conv2d_winograd_operands explains it.
// The file that uses this declares F, 2 or 4, T = F + 2, Line, an array of six vec4<f32>, and
//   x      [N H W C]     to be read, as vec4 along C; C a multiple of 4
//   v      [T² tiles C]  to be written, as vec4 along C; tiles are N·⌈P/F⌉·⌈Q/F⌉, row by row
//   params with x_shape, pad, and tiles, the rows and columns of tiles in one image

/// Bᵀ times T pixels of one axis.
fn input_line(d: Line) -> Line {
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

/// V of T×T pixels, given by columns; row by row.
fn input_tile(pixels: array<Line, T>) -> array<Line, T> {
  var columns: array<Line, T>; // after Bᵀ·x
  for (var j = 0u; j < T; j++) {
    columns[j] = input_line(pixels[j]);
  }
  var rows: array<Line, T>;
  for (var row = 0u; row < T; row++) {
    var across: Line;
    for (var j = 0u; j < T; j++) {
      across[j] = columns[j][row];
    }
    rows[row] = input_line(across);
  }
  return rows;
}

/// Writes vector i of V: T×T pixels of four channels; neighbouring tiles overlap by 2, and pixels
/// beside the image are 0.
fn transform_input(i: u32) {
  let H = params.x_shape.y;
  let W = params.x_shape.z;
  let C4 = params.x_shape.w / 4u;
  let tiles_of_image = params.tiles.x * params.tiles.y;
  let vectors = params.x_shape.x * tiles_of_image * C4;
  if (i >= vectors) {
    return;
  }
  let c4 = i % C4;
  let tile = i / C4;
  let n = tile / tiles_of_image;
  let place = vec2<u32>(tile % tiles_of_image / params.tiles.y, tile % params.tiles.y);
  let corner = vec2<i32>(place * F) - params.pad;

  var pixels: array<Line, T>;
  for (var j = 0u; j < T; j++) {
    for (var k = 0u; k < T; k++) {
      // As unsigned numbers, those left of or above the image are too large as well.
      let at = vec2<u32>(corner + vec2<i32>(i32(k), i32(j)));
      if (at.x < H && at.y < W) {
        pixels[j][k] = x[((n * H + at.x) * W + at.y) * C4 + c4];
      }
    }
  }
  let rows = input_tile(pixels);
  for (var row = 0u; row < T; row++) {
    for (var column = 0u; column < T; column++) {
      v[(row * T + column) * vectors + i] = rows[row][column];
    }
  }
}
