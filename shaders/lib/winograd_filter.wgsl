// G of Winograd's F(F×F, 3×3), which conv2d_winograd_filter explains: three taps of one axis become
// F + 2 numbers. The file that uses it declares F, 2 or 4, and Line, an array of six vec4<f32>.

/// G times three taps.
fn along(a: vec4<f32>, b: vec4<f32>, c: vec4<f32>) -> Line {
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
