// Draws the random numbers of each image of a batch: the table that lib/displacement.wgsl reads. One invocation makes
// one entry, a pair (y, x); a workgroup of 64 covers 64 entries, and the grid may be folded into two dimensions.
//   block [4]            read     key low, key high, draw low, draw high
//   table [N entries 2]  written
//
// The second word of the Philox counter tells what is drawn, so that one displacement draws the
// same numbers whatever the others are set to:
//   0  four quads per image: whether flip, shift, rotation, zoom; whether brightness, grid,
//      elastic; how far shift y, shift x, rotation, zoom; how much brightness
//   1  ⌈steps / 2⌉ quads per image: widths (y, x) of two steps of the grid each
//   2  ⌈(spans + 3)² / 2⌉ quads per image: displacements (y, x) of two knots each
// Thresholds are ⌈probability · 2²⁴⌉, compared with the upper 24 bits of a word, which is exact.
// Limits: WebGPU's defaults.
// @use lib/philox.wgsl

struct Params {
  /// Of flip, shift, rotation, zoom.
  thresholds: vec4<u32>,
  /// Of brightness, grid, elastic; the last is unused.
  more_thresholds: vec4<u32>,
  /// Farthest shift, in pixels of the input.
  shift: vec2<f32>,
  /// Farthest elastic displacement, in pixels of the input.
  elastic: vec2<f32>,
  /// Largest angle, in radians, at most π.
  rotation: f32,
  zoom: f32,
  brightness: f32,
  /// Largest change of a step's width, as a share of it.
  limit: f32,
  steps: u32,
  spans: u32,
  entries: u32,
  /// Entries of all images.
  size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> block: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> table: array<vec2<f32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + local;
  if (index >= params.size) {
    return;
  }
  let n = index / params.entries;
  let entry = index % params.entries;
  let lines = select(0u, params.steps + 1u, params.steps > 0u);
  let more = random_words(block[0], 4u * n + 1u, 0u) >> vec4<u32>(8u);
  let is_on = more < params.more_thresholds;
  var pair = vec2<f32>();
  if (entry < 4u) {
    pair = whole_picture(n, entry, is_on.x);
  } else if (entry < 4u + lines) {
    if (is_on.y) {
      pair = line_offset(n, entry - 4u);
    }
  } else if (is_on.z) {
    pair = knot(n, entry - 4u - lines);
  }
  table[index] = pair;
}

/// Rows of the matrix, shift, brightness.
fn whole_picture(n: u32, entry: u32, is_brightened: bool) -> vec2<f32> {
  let is_on = (random_words(block[0], 4u * n, 0u) >> vec4<u32>(8u)) < params.thresholds;
  let far = signed_from_words(random_words(block[0], 4u * n + 2u, 0u));
  if (entry == 2u) {
    return select(vec2<f32>(), far.xy * params.shift, is_on.y);
  }
  if (entry == 3u) {
    let much = signed_from_words(random_words(block[0], 4u * n + 3u, 0u)).x;
    return vec2<f32>(select(1.0, 1.0 + much * params.brightness, is_brightened), 0.0);
  }
  // From the output back to the input: turned the other way, then made smaller, then mirrored.
  let turn = direction_of(select(0.0, far.z * params.rotation, is_on.z));
  let shrink = select(1.0, 1.0 / (1.0 + far.w * params.zoom), is_on.w);
  if (entry == 0u) {
    return shrink * vec2<f32>(turn.x, -turn.y);
  }
  return select(shrink, -shrink, is_on.x) * vec2<f32>(turn.y, turn.x);
}

/// How far line k of the grid lies from where it was, on both axes, as shares of the size.
fn line_offset(n: u32, k: u32) -> vec2<f32> {
  var sum = vec2<f32>();
  var before = vec2<f32>();
  for (var each = 0u; each < params.steps; each++) {
    if (each == k) {
      before = sum;
    }
    sum += 1.0 + params.limit * dealt_pair(n, each, (params.steps + 1u) / 2u, 1u);
  }
  if (k == 0u || k == params.steps) {
    return vec2<f32>();
  }
  return before / sum - f32(k) / f32(params.steps);
}

fn knot(n: u32, k: u32) -> vec2<f32> {
  let width = params.spans + 3u;
  return params.elastic * dealt_pair(n, k, (width * width + 1u) / 2u, 2u);
}

/// Pair k of an image that has `quads` quads: two numbers in [−1, 1).
fn dealt_pair(n: u32, k: u32, quads: u32, what: u32) -> vec2<f32> {
  let numbers = signed_from_words(random_words(block[0], n * quads + k / 2u, what));
  return select(numbers.xy, numbers.zw, k % 2u == 1u);
}

/// Words as numbers in [−1, 1), multiples of 2⁻²³; every step is exact.
fn signed_from_words(words: vec4<u32>) -> vec4<f32> {
  return 2.0 * uniform_from_words(words) - 1.0;
}

/// Cosine and sine of an angle in [−π, π]. WGSL's own may miss by 2⁻¹¹, a tenth of a pixel at the
/// edge of 224: series for a quarter of the angle, whose next terms lie below 2⁻²⁸, and then the
/// formulas of the double angle, twice.
fn direction_of(angle: f32) -> vec2<f32> {
  let a = 0.25 * angle;
  let x = a * a;
  var s = a * (1.0 + x * (-1.0 / 6.0 + x * (1.0 / 120.0 + x * (-1.0 / 5040.0 + x / 362880.0))));
  var c = 1.0 + x * (-0.5 + x * (1.0 / 24.0 + x * (-1.0 / 720.0 + x * (1.0 / 40320.0 - x / 3628800.0))));
  for (var doubling = 0; doubling < 2; doubling++) {
    let sine = 2.0 * s * c;
    c = 1.0 - 2.0 * s * s;
    s = sine;
  }
  return vec2<f32>(c, s);
}
