// Pooling, four channels an invocation, for C divisible by four. Improves pool2d_forward_naive:
// channels lie side by side, so loads and stores are vectors and the window's bounds are worked
// out once for four outputs.
//
// One invocation computes four output channels of one window; a workgroup of 64 computes 64
// neighbours. All shapes come with C already divided by four.
//   x     [N H W C/4] of vec4  read
//   y     [N P Q C/4] of vec4  written
//   index [N P Q C/4] of vec4  written where KEEP_INDEX: h·W + w of each maximum
// Of equal maxima the first in row-major order is kept, and a NaN stays.
// Overrides: IS_MAX; KEEP_INDEX; COUNT_PADDING, as in pool2d_forward_naive.
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
  let h_begin = u32(max(top, 0));
  let h_end = u32(min(top + i32(params.size.x), i32(H)));
  let w_begin = u32(max(left, 0));
  let w_end = u32(min(left + i32(params.size.y), i32(W)));
  let image = n * H * W * C + c;

  if (IS_MAX) {
    var best_at = vec4<u32>(h_begin * W + w_begin);
    var best = x[image + best_at.x * C];
    for (var h = h_begin; h < h_end; h++) {
      for (var w = w_begin; w < w_end; w++) {
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
  for (var h = h_begin; h < h_end; h++) {
    for (var w = w_begin; w < w_end; w++) {
      sum += x[image + (h * W + w) * C];
    }
  }
  let inside = (h_end - h_begin) * (w_end - w_begin);
  let count = select(inside, params.size.x * params.size.y, COUNT_PADDING);
  y[i] = sum / f32(count);
}
