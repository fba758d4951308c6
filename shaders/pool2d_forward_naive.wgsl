// Pooling, the plain way: the maximum or the average of every window of an image, per channel.
// Read this file first: pool2d_forward_vec4 does the same for four channels at once.
//
// One invocation computes one output number; a workgroup of 64 computes 64 neighbours.
//   x     [N H W C]  read
//   y     [N P Q C]  written
//   index [N P Q C]  written where KEEP_INDEX: h·W + w of the maximum, for the gradient
// Window (p, q) covers rows h = p·stride − pad + r·DILATION_H, r below R, and columns likewise; pixels
// outside the image take no part. Of equal maxima the first in row-major order is kept,
// and a NaN stays: it is larger than everything.
// Overrides: IS_MAX; KEEP_INDEX; COUNT_PADDING, where an average counts the pixels of the padding too;
// DILATION_H, DILATION_W.
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
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> index: array<u32>;

// Told from the bits: compilers may take value != value for false.
fn is_nan(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let N = params.x_shape.x;
  let H = params.x_shape.y;
  let W = params.x_shape.z;
  let C = params.x_shape.w;
  let P = params.y_shape.y;
  let Q = params.y_shape.z;

  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= N * P * Q * C) {
    return;
  }
  let c = i % C;
  let q = (i / C) % Q;
  let p = (i / (C * Q)) % P;
  let n = i / (C * Q * P);

  // The part of the window inside the image; never empty.
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
    var best_at = h_begin * W + w_begin;
    var best = x[image + best_at * C];
    for (var h = h_begin; h < h_end; h += DILATION_H) {
      for (var w = w_begin; w < w_end; w += DILATION_W) {
        let at = h * W + w;
        let value = x[image + at * C];
        if (value > best || is_nan(value)) {
          best = value;
          best_at = at;
        }
      }
    }
    y[i] = best;
    if (KEEP_INDEX) {
      index[i] = best_at;
    }
    return;
  }

  var sum = 0.0;
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
