// Pooling, four channels per invocation, for C divisible by four. Improves pool2d_forward_naive:
// channels lie side by side, so loads and stores are vectors and the window's bounds are worked
// out once for four outputs.
//
// One invocation computes four output channels of one window; a workgroup of 64 computes 64
// neighbours. All shapes come with C already divided by four.
//   x     [N H W C/4] of vec4  read
//   y     [N P Q C/4] of vec4  written
//   index [N P Q C/4] of vec4  written where KEEP_INDEX: h·W + w of each maximum
// Of equal maxima the first in row-major order is kept, and a NaN stays.
// Overrides: IS_MAX; KEEP_INDEX; COUNT_PADDING; DILATION_H, DILATION_W, as in pool2d_forward_naive.
// Limits: WebGPU's defaults.
// @use lib/pool_window.wgsl

override IS_MAX: bool = true;
override KEEP_INDEX: bool = false;
override COUNT_PADDING: bool = false;
override DILATION_H: u32 = 1u;
override DILATION_W: u32 = 1u;

struct Params {
  x_shape: vec4<u32>,
  y_shape: vec4<u32>,
  size: vec2<u32>,
  stride: vec2<u32>,
  pad: vec2<u32>,
  padded: vec2<u32>, // where the padding below and to the right ends
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> index: array<vec4<u32>>;

// Told from the bits: compilers may take value != value for false.
fn is_nan(value: vec4<f32>) -> vec4<bool> {
  return (bitcast<vec4<u32>>(value) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let H = params.x_shape.y;
  let W = params.x_shape.z;
  let C = params.x_shape.w;
  let P = params.y_shape.y;
  let Q = params.y_shape.z;

  // Rows and images are the grid's other axes: on integers, division is the slowest operation.
  let t = group.x * 64u + local;
  if (t >= Q * C) {
    return;
  }
  let q = t / C;
  let c = t - q * C;
  let p = group.y;
  let n = group.z;
  let i = (n * P + p) * Q * C + t;

  let top = i32(p * params.stride.x) - i32(params.pad.x);
  let left = i32(q * params.stride.y) - i32(params.pad.y);
  let r_begin = first_tap(top, DILATION_H);
  let r_end = end_tap(top, H, params.size.x, DILATION_H);
  let s_begin = first_tap(left, DILATION_W);
  let s_end = end_tap(left, W, params.size.y, DILATION_W);
  // The pixels of the taps: the first, and one that no tap reaches.
  let h_begin = u32(top + i32(r_begin * DILATION_H));
  let h_end = u32(top + i32(r_end * DILATION_H));
  let w_begin = u32(left + i32(s_begin * DILATION_W));
  let w_end = u32(left + i32(s_end * DILATION_W));
  let image = n * H * W * C + c;

  if (IS_MAX) {
    var best_at = vec4<u32>(h_begin * W + w_begin);
    var best = x[image + best_at.x * C];
    for (var h = h_begin; h < h_end; h += DILATION_H) {
      for (var w = w_begin; w < w_end; w += DILATION_W) {
        let at = h * W + w;
        let value = x[image + at * C];
        let is_larger = (value > best) | is_nan(value);
        best = select(best, value, is_larger);
        best_at = select(best_at, vec4<u32>(at), is_larger);
      }
    }
    y[i] = best;
    if (KEEP_INDEX) {
      index[i] = best_at;
    }
    return;
  }

  var sum = vec4<f32>(0.0);
  for (var h = h_begin; h < h_end; h += DILATION_H) {
    for (var w = w_begin; w < w_end; w += DILATION_W) {
      sum += x[image + (h * W + w) * C];
    }
  }
  var count = (r_end - r_begin) * (s_end - s_begin);
  if (COUNT_PADDING) {
    count = end_tap(top, params.padded.x, params.size.x, DILATION_H) *
      end_tap(left, params.padded.y, params.size.y, DILATION_W);
  }
  y[i] = sum / f32(count);
}
