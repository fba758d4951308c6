// U = G·w′·Gᵀ of the filter w′ that gives the input's gradient: w turned round with input and output
// exchanged, w′[r s k c] = w[2−r 2−s c k], which is never written. The file that uses this uses
// lib/winograd_filter too, and declares
//   w  [3 3 C K]  to be read, as vec4 along K; C and K multiples of 4
//   u  [T² K C]   to be written, as vec4 along C
//   params with C4 and K4, C/4 and K/4

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
