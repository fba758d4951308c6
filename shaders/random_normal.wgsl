// Normal random numbers: values[i] = mean + deviation · z, z by Box–Muller; where TRUNCATED, z is
// drawn again until |z| ≤ 2 (eight times at most, then it is clamped).
//
// One invocation draws four neighbouring elements: words 0 and 1 of a Philox block make the first
// two, words 2 and 3 the others. A workgroup of 64 draws 256. The grid may be folded into two
// dimensions; elements past the end fall into the padding.
//   block  [4]  key low, key high, draw low, draw high
//   values [L]  written
// WGSL allows its own log, sin and cos errors that are large near the ends of their ranges, so
// they are computed here to a few units in the last place: log by the series of atanh, sine and
// cosine by Taylor's after an exact reduction to an eighth of a turn.
// Overrides: TRUNCATED.
// Limits: WebGPU's defaults.
// @use lib/philox.wgsl

override TRUNCATED: bool = false;

const ATTEMPTS = 8u;
const BOUND = 2.0;

struct Params {
  quads: u32,
  mean: f32,
  deviation: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> block: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;

/// The natural logarithm of numbers in (0, 1].
fn logarithm(w: vec2<f32>) -> vec2<f32> {
  let parts = frexp(w);
  // The fraction moved from [1/2, 1) to [√½, √2), so that log keeps its accuracy around w = 1.
  let is_low = parts.fract < vec2<f32>(0.70710678);
  let m = select(parts.fract, parts.fract * 2.0, is_low);
  let e = vec2<f32>(parts.exp - select(vec2<i32>(0), vec2<i32>(1), is_low));
  // log m = 2 atanh((m − 1) / (m + 1))
  let s = (m - 1.0) / (m + 1.0);
  let z = s * s;
  let series = 1.0 + z * (1.0 / 3.0 + z * (0.2 + z * (1.0 / 7.0 + z * (1.0 / 9.0 + z / 11.0))));
  return e * 0.69314718 + 2.0 * s * series;
}

/// (cos 2πu, sin 2πu) for u in [0, 1).
fn circle(u: f32) -> vec2<f32> {
  let quarter = floor(4.0 * u + 0.5);
  let a = 6.28318531 * (u - 0.25 * quarter);
  let z = a * a;
  let cosine = 1.0 - z * (0.5 - z * (1.0 / 24.0 - z * (1.0 / 720.0 - z * (1.0 / 40320.0 - z / 3628800.0))));
  let sine = a * (1.0 - z * (1.0 / 6.0 - z * (1.0 / 120.0 - z * (1.0 / 5040.0 - z / 362880.0))));
  switch (u32(quarter) & 3u) {
    case 0u: { return vec2<f32>(cosine, sine); }
    case 1u: { return vec2<f32>(-sine, cosine); }
    case 2u: { return vec2<f32>(-cosine, -sine); }
    default: { return vec2<f32>(sine, -cosine); }
  }
}

fn normals(quad: u32, attempt: u32) -> vec4<f32> {
  let u = uniform_from_words(random_words(block[0], quad, attempt));
  // 1 − u lies in (0, 1], so the logarithm is finite.
  let radius = sqrt(-2.0 * logarithm(1.0 - u.xz));
  return vec4<f32>(radius.x * circle(u.y), radius.y * circle(u.w));
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.quads) {
    return;
  }
  var z = normals(i, 0u);
  if (TRUNCATED) {
    for (var attempt = 1u; attempt < ATTEMPTS; attempt++) {
      let is_outside = abs(z) > vec4<f32>(BOUND);
      if (!any(is_outside)) {
        break;
      }
      z = select(z, normals(i, attempt), is_outside);
    }
    z = clamp(z, vec4<f32>(-BOUND), vec4<f32>(BOUND));
  }
  values[i] = params.mean + params.deviation * z;
}
