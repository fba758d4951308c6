// Gradient of pooling, four channels per invocation, for C divisible by four. Improves
// pool2d_backward_naive: the windows over a pixel are found once for four channels, and loads and
// stores are vectors.
//
// One invocation computes four channels of dx; a workgroup of 64 computes 64 neighbours. All
// shapes come with C already divided by four.
//   dy    [N P Q C/4] of vec4  read
//   index [N P Q C/4] of vec4  read where IS_MAX: h·W + w of each maximum
//   dx    [N H W C/4] of vec4  written
// Overrides: IS_MAX; COUNT_PADDING; DILATION_H, DILATION_W, as in pool2d_backward_naive.
// Limits: WebGPU's defaults.
// @use lib/pool_window.wgsl

override IS_MAX: bool = true;
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
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> index: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<f32>>;

// The first window along one axis whose extent covers pixel `at`, and one past the last.
fn windows_over(at: u32, extent: u32, stride: u32, pad: u32, outputs: u32) -> vec2<u32> {
  let padded = at + pad;
  let first = select((padded - extent) / stride + 1u, 0u, padded < extent);
  return vec2<u32>(first, min(padded / stride + 1u, outputs));
}

// What a window counts along one axis: the taps inside the image, or with COUNT_PADDING on it or the padding.
fn counted(window: u32, size: u32, stride: u32, pad: u32, dilation: u32, end: u32) -> u32 {
  let begin = i32(window * stride) - i32(pad);
  return end_tap(begin, end, size, dilation) - select(first_tap(begin, dilation), 0u, COUNT_PADDING);
}

// Whether a tap of the window lies on pixel `at`, which is within its extent.
fn has_tap(at: u32, window: u32, stride: u32, pad: u32, dilation: u32) -> bool {
  return (at + pad - window * stride) % dilation == 0u;
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
  if (t >= W * C) {
    return;
  }
  let w = t / C;
  let c = t - w * C;
  let h = group.y;
  let n = group.z;
  let i = (n * H + h) * W * C + t;

  let rows = windows_over(h, (params.size.x - 1u) * DILATION_H + 1u, params.stride.x, params.pad.x, P);
  let columns = windows_over(w, (params.size.y - 1u) * DILATION_W + 1u, params.stride.y, params.pad.y, Q);
  let at = vec4<u32>(h * W + w);
  var sum = vec4<f32>(0.0);
  for (var p = rows.x; p < rows.y; p++) {
    for (var q = columns.x; q < columns.y; q++) {
      let window = ((n * P + p) * Q + q) * C + c;
      if (IS_MAX) {
        sum += select(vec4<f32>(0.0), dy[window], index[window] == at);
      } else if (has_tap(h, p, params.stride.x, params.pad.x, DILATION_H) &&
        has_tap(w, q, params.stride.y, params.pad.y, DILATION_W)) {
        let end = select(vec2<u32>(H, W), params.padded, COUNT_PADDING);
        let count = counted(p, params.size.x, params.stride.x, params.pad.x, DILATION_H, end.x) *
          counted(q, params.size.y, params.stride.y, params.pad.y, DILATION_W, end.y);
        sum += dy[window] / f32(count);
      }
    }
  }
  dx[i] = sum;
}
