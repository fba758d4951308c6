// The displacement rule: which point of the input picture each pixel of the output shows. The
// files that use it declare `params` and `table` as shaders/augment_naive.wgsl does.
//
// Everything is a pair (y, x) in pixels of the input; its picture covers [0, h] × [0, w], and
// pixel (i, j) has its centre at (i + ½, j + ½). The table of an image, written by
// shaders/augment_draw.wgsl, holds
//   0, 1   the rows of the matrix of flip, rotation and zoom
//   2      the shift in pixels
//   3      the brightness factor, 0
//   lines  steps + 1 offsets of the lines of the distorted grid, as shares (none where steps = 0)
//   knots  (spans + 3)² displacements of the elastic field in pixels (none where spans = 0)

/// The point of the input that output pixel (i, j) of an image shows.
fn source_of(image: u32, i: u32, j: u32) -> vec2<f32> {
  let centre = vec2<f32>(vec2<u32>(i, j)) + 0.5;
  var p = centre * params.ratio;
  if (!DISPLACED) {
    return p;
  }
  let u = centre * params.share;
  let first = image * params.entries;
  let size = vec2<f32>(params.in_size);
  if (params.steps > 0u) {
    p += size * grid_offset(first + 4u, u);
  }
  if (params.spans > 0u) {
    let lines = select(0u, params.steps + 1u, params.steps > 0u);
    p += elastic_offset(first + 4u + lines, u);
  }
  // About the middle, so that a picture that is not displaced keeps its exact coordinates.
  let d = p - 0.5 * size - table[first + 2u];
  return 0.5 * size + vec2<f32>(dot(table[first], d), dot(table[first + 1u], d));
}

/// Between the offsets of the two lines around u, linearly; each axis by itself.
fn grid_offset(lines: u32, u: vec2<f32>) -> vec2<f32> {
  let at = u * f32(params.steps);
  let k = min(vec2<u32>(at), vec2<u32>(params.steps - 1u));
  let t = at - vec2<f32>(k);
  let low = vec2<f32>(table[lines + k.x].x, table[lines + k.y].y);
  let high = vec2<f32>(table[lines + k.x + 1u].x, table[lines + k.y + 1u].y);
  return low + (high - low) * t;
}

/// The cubic B-spline of the 4 × 4 knots around u.
fn elastic_offset(knots: u32, u: vec2<f32>) -> vec2<f32> {
  let at = u * f32(params.spans);
  let k = min(vec2<u32>(at), vec2<u32>(params.spans - 1u));
  let t = at - vec2<f32>(k);
  let weights_y = spline_weights(t.x);
  let weights_x = spline_weights(t.y);
  let width = params.spans + 3u;
  var sum = vec2<f32>();
  for (var a = 0u; a < 4u; a++) {
    let row = knots + (k.x + a) * width + k.y;
    let along = weights_x.x * table[row] + weights_x.y * table[row + 1u]
      + weights_x.z * table[row + 2u] + weights_x.w * table[row + 3u];
    sum += weights_y[a] * along;
  }
  return sum;
}

/// The uniform cubic B-spline at t in [0, 1]: the weights of four knots, which add up to 1.
fn spline_weights(t: f32) -> vec4<f32> {
  let s = 1.0 - t;
  return vec4<f32>(
    s * s * s,
    (3.0 * t - 6.0) * t * t + 4.0,
    (3.0 * s - 6.0) * s * s + 4.0,
    t * t * t,
  ) * (1.0 / 6.0);
}

/// A pixel's place along an axis of `length`, where it lies outside.
fn inside(at: vec2<i32>, length: u32) -> vec2<u32> {
  let n = i32(length);
  if (FILL == REFLECT) {
    // … b a | a b … y z | z y …: period 2n. The remainder takes the sign of the dividend.
    let r = ((at % (2 * n)) + 2 * n) % (2 * n);
    return vec2<u32>(min(r, 2 * n - 1 - r));
  }
  return vec2<u32>(clamp(at, vec2<i32>(0), vec2<i32>(n - 1)));
}

/// How much of the picture, and not of the fill value, shows at point p: all of it inside, none
/// from half a pixel outside on.
fn coverage_at(p: vec2<f32>) -> f32 {
  let outside = max(max(-p, p - vec2<f32>(params.in_size)), vec2<f32>(0.0));
  let share = clamp(1.0 - 2.0 * outside, vec2<f32>(0.0), vec2<f32>(1.0));
  return share.x * share.y;
}
