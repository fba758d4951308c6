// Random transformation of images of bytes on their way to floats, one output pixel per invocation.
// Improves augment_naive: the source of a pixel is computed once and not for every channel, and
// a pixel's bytes are read as the one or two words they lie in, into the lanes of a vector.
//
// A workgroup of 64 covers 64 neighbouring pixels; the grid may be folded into two dimensions.
//   x     [N h w C]      read     u8, four to a word
//   table [N entries 2]  read     the random numbers of each image, from augment_draw; unread where
//                                 DISPLACED is false
//   y     [N H W C]      written
// Overrides: DISPLACED, false for resizing alone; FILL, what lies outside: 0 the nearest pixel,
// 1 fill_value, 2 the mirror image.
// Limits: WebGPU's defaults; C at most 4.
// @use lib/displacement.wgsl

const CONSTANT = 1u;
const REFLECT = 2u;

override DISPLACED: bool = true;
override FILL: u32 = 0u;

struct Params {
  mean: vec4<f32>,
  inverse_deviation: vec4<f32>,
  in_size: vec2<u32>,
  out_size: vec2<u32>,
  /// Input pixels for each output pixel: h / H, w / W.
  ratio: vec2<f32>,
  /// 1 / H, 1 / W.
  share: vec2<f32>,
  channels: u32,
  /// Pixels to write.
  size: u32,
  entries: u32,
  steps: u32,
  spans: u32,
  scale: f32,
  /// 255 · scale: white.
  most: f32,
  /// In bytes.
  fill_value: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let pixel = (group.y * groups.x + group.x) * 64u + local;
  if (pixel >= params.size) {
    return;
  }
  let j = pixel % params.out_size.y;
  let i = (pixel / params.out_size.y) % params.out_size.x;
  let n = pixel / (params.out_size.x * params.out_size.y);

  let p = source_of(n, i, j);
  let corner = floor(p - 0.5);
  let t = p - 0.5 - corner;
  let at = vec2<i32>(corner);
  let rows = inside(vec2<i32>(at.x, at.x + 1), params.in_size.x);
  let columns = inside(vec2<i32>(at.y, at.y + 1), params.in_size.y);
  let above = mix_exactly(tap(n, rows.x, columns.x), tap(n, rows.x, columns.y), t.y);
  let below = mix_exactly(tap(n, rows.y, columns.x), tap(n, rows.y, columns.y), t.y);
  var value = mix_exactly(above, below, t.x);
  if (FILL == CONSTANT) {
    value = mix_exactly(vec4<f32>(params.fill_value), value, coverage_at(p));
  }
  value *= params.scale;
  if (DISPLACED) {
    let brightness = table[n * params.entries + 3u].x;
    value = clamp(value * brightness, vec4<f32>(0.0), vec4<f32>(params.most));
  }
  value = (value - params.mean) * params.inverse_deviation;
  for (var c = 0u; c < params.channels; c++) {
    y[pixel * params.channels + c] = value[c];
  }
}

/// Pixel (row, column) of image n; lanes from C on hold bytes of its neighbours.
fn tap(n: u32, row: u32, column: u32) -> vec4<f32> {
  let byte = ((n * params.in_size.x + row) * params.in_size.y + column) * params.channels;
  let bit = 8u * (byte % 4u);
  var word = x[byte / 4u] >> bit;
  if (bit > 0u) {
    word |= x[(byte + params.channels - 1u) / 4u] << (32u - bit);
  }
  return vec4<f32>((vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u));
}

/// a at t = 0 and, for whole numbers, b at t = 1, both to the last bit.
fn mix_exactly(a: vec4<f32>, b: vec4<f32>, t: f32) -> vec4<f32> {
  return a + (b - a) * t;
}
