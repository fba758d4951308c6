// The filter's gradient from the sums of Winograd's F(3×3, 2×2), dw = Aᵀ·m·A, as
// conv2d_winograd_grad_operands explains it. The file that uses this declares
//   m_dw  [16 C K]   to be read, as vec4 along K; K a multiple of 4
//   dw    [3 3 C K]  to be written, as vec4 along K
//   params with filter_vectors, C·K/4

alias Taps = array<vec4<f32>, 3>;

/// Aᵀ times four sums of one axis.
fn taps_along(a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>) -> Taps {
  return Taps(a + b + c, b - c, b + c - d);
}

/// Writes vector i of each of the nine taps.
fn make_taps(i: u32) {
  let V = params.filter_vectors;
  if (i >= V) {
    return;
  }
  var columns: array<Taps, 4>; // after Aᵀ·m
  for (var j = 0u; j < 4u; j++) {
    columns[j] = taps_along(
      m_dw[j * V + i],
      m_dw[(4u + j) * V + i],
      m_dw[(8u + j) * V + i],
      m_dw[(12u + j) * V + i],
    );
  }
  for (var r = 0u; r < 3u; r++) {
    let taps = taps_along(columns[0][r], columns[1][r], columns[2][r], columns[3][r]);
    for (var s = 0u; s < 3u; s++) {
      dw[(3u * r + s) * V + i] = taps[s];
    }
  }
}
