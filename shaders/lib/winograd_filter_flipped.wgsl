// U = G·w′·Gᵀ of the filter w′ that gives the input's gradient: w flipped with input and output
// exchanged, w′[r s k c] = w[2−r 2−s c k], which is never written. The file that uses this uses
// lib/winograd_filter too, and declares
//   w  [3 3 C K]  to be read; C a multiple of 4
//   u  [T² K C]   to be written, as vec4 along C
//   params with C4, C/4, and K

/// Writes vector i of each of U's places: the taps of four c and one k.
fn transform_filter(i: u32) {
  let C4 = params.C4;
  let K = params.K;
  if (i >= C4 * K) {
    return;
  }
  let k = i % K;
  let c4 = i / K;
  var taps: array<vec4<f32>, 9>; // of w′
  for (var tap = 0u; tap < 9u; tap++) {
    let from_w = ((8u - tap) * C4 + c4) * 4u * K + k;
    taps[tap] = vec4<f32>(w[from_w], w[from_w + K], w[from_w + 2u * K], w[from_w + 3u * K]);
  }
  let rows = filter_tile(taps);
  for (var row = 0u; row < T; row++) {
    for (var column = 0u; column < T; column++) {
      u[((row * T + column) * K + k) * C4 + c4] = rows[row][column];
    }
  }
}
