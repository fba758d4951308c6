// The filter's transform of Winograd's F(F×F, 3×3), U = G·w·Gᵀ, as conv2d_winograd_operands explains it.
// The file that uses this declares F, 2 or 4, T = F + 2, and Line, an array of six vec4<f32>.

/// G times three taps of one axis.
fn filter_line(a: vec4<f32>, b: vec4<f32>, c: vec4<f32>) -> Line {
  var line: Line;
  line[0] = a;
  if (F == 2u) {
    line[1] = 0.5 * (a + b + c);
    line[2] = 0.5 * (a - b + c);
    line[3] = c;
  } else {
    line[0] = 0.25 * a;
    line[1] = (a + b + c) / -6.0;
    line[2] = (a - b + c) / -6.0;
    line[3] = a / 24.0 + b / 12.0 + c / 6.0;
    line[4] = a / 24.0 - b / 12.0 + c / 6.0;
    line[5] = c;
  }
  return line;
}

/// Rows of U from nine taps, row by row.
fn filter_tile(taps: array<vec4<f32>, 9>) -> array<Line, T> {
  var columns: array<Line, 3>;
  for (var s = 0u; s < 3u; s++) {
    columns[s] = filter_line(taps[s], taps[3u + s], taps[6u + s]);
  }
  var rows: array<Line, T>;
  for (var row = 0u; row < T; row++) {
    rows[row] = filter_line(columns[0][row], columns[1][row], columns[2][row]);
  }
  return rows;
}
