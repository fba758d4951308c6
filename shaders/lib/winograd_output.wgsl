// Tiles of the output of Winograd's F(F×F, 3×3), y = Aᵀ·m·A, as conv2d_winograd_operands explains it.
// The file that uses this uses lib/activation, and declares F, 2 or 4, T = F + 2, Line, an array of six
// vec4<f32>, HAS_RESIDUAL, ACTIVATION, bias_of, which gives the bias of four channels, and
//   m        [T² tiles K]  to be read, as vec4 along K; K a multiple of 4
//   residual [N P Q K]     to be read where HAS_RESIDUAL, as vec4 along K
//   y        [N P Q K]     to be written, as vec4 along K
//   params with y_shape, and tiles, the rows and columns of tiles in one image

alias Outputs = array<vec4<f32>, 4>;

/// Aᵀ times T sums.
fn outputs_along(d: Line) -> Outputs {
  var outputs: Outputs;
  if (F == 2u) {
    outputs[0] = d[0] + d[1] + d[2];
    outputs[1] = d[1] - d[2] - d[3];
  } else {
    outputs[0] = d[0] + d[1] + d[2] + d[3] + d[4];
    outputs[1] = d[1] - d[2] + 2.0 * (d[3] - d[4]);
    outputs[2] = d[1] + d[2] + 4.0 * (d[3] + d[4]);
    outputs[3] = d[1] - d[2] + 8.0 * (d[3] - d[4]) + d[5];
  }
  return outputs;
}

/// Writes F×F pixels of vector i of K/4 and tile; pixels beside the image are dropped.
fn make_pixels(i: u32) {
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
  let corner = vec2<u32>(tile % tiles_of_image / params.tiles.y, tile % params.tiles.y) * F;

  var columns: array<Outputs, T>; // after Aᵀ·m
  for (var j = 0u; j < T; j++) {
    var sums: Line;
    for (var k = 0u; k < T; k++) {
      sums[k] = m[(k * T + j) * vectors + i];
    }
    columns[j] = outputs_along(sums);
  }
  let shift = bias_of(k4);
  for (var row = 0u; row < F; row++) {
    var across: Line;
    for (var j = 0u; j < T; j++) {
      across[j] = columns[j][row];
    }
    let outputs = outputs_along(across);
    for (var column = 0u; column < F; column++) {
      let p = corner.x + row;
      let q = corner.y + column;
      if (p < P && q < Q) {
        let to = ((n * P + p) * Q + q) * K4 + k4;
        var z = outputs[column] + shift;
        if (HAS_RESIDUAL) {
          z += residual[to];
        }
        y[to] = vec4<f32>(
          activate(z.x, ACTIVATION),
          activate(z.y, ACTIVATION),
          activate(z.z, ACTIVATION),
          activate(z.w, ACTIVATION),
        );
      }
    }
  }
}
