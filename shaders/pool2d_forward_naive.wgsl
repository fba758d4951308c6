// Pooling, the plain way: the maximum or the average of every window of an image, per channel.
// Read this file first: pool2d_forward_vec4 does the same for four channels at once.
//
// One invocation computes one output number; a workgroup of 64 computes 64 neighbours.
//   x     [N H W C]  read
//   y     [N P Q C]  written
//   index [N P Q C]  written where KEEP_INDEX: h·W + w of the maximum, for the gradient
// Window (p, q) covers rows h from p·stride − pad to p·stride − pad + R − 1 and columns likewise;
// pixels outside the image take no part. Of equal maxima the first in row-major order is kept,
// and a NaN stays: it is larger than everything.
// Overrides: IS_MAX; KEEP_INDEX; COUNT_PADDING, where an average divides by the whole window
// instead of the pixels inside the image.
// Limits: WebGPU's defaults.

override IS_MAX: bool = true;
override KEEP_INDEX: bool = false;
override COUNT_PADDING: bool = false;

struct Params {
  x_shape: vec4<u32>,
  y_shape: vec4<u32>,
  size: vec2<u32>,
  stride: vec2<u32>,
  pad: vec2<u32>,
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

  // The part of the window inside the image; never empty, padding is smaller than the window.
  let top = i32(p * params.stride.x) - i32(params.pad.x);
  let left = i32(q * params.stride.y) - i32(params.pad.y);
  let h_begin = u32(max(top, 0));
  let h_end = u32(min(top + i32(params.size.x), i32(H)));
  let w_begin = u32(max(left, 0));
  let w_end = u32(min(left + i32(params.size.y), i32(W)));
  let image = n * H * W * C + c;

  if (IS_MAX) {
    var best_at = h_begin * W + w_begin;
    var best = x[image + best_at * C];
    for (var h = h_begin; h < h_end; h++) {
      for (var w = w_begin; w < w_end; w++) {
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
  for (var h = h_begin; h < h_end; h++) {
    for (var w = w_begin; w < w_end; w++) {
      sum += x[image + (h * W + w) * C];
    }
  }
  let inside = (h_end - h_begin) * (w_end - w_begin);
  let count = select(inside, params.size.x * params.size.y, COUNT_PADDING);
  y[i] = sum / f32(count);
}
