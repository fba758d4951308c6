// Gradient of pooling, the plain way: every input pixel looks up the windows that cover it and
// collects from them. A maximum passes dy to the pixel whose place was kept, an average dy / count
// to all its pixels. No two invocations write one number, so no atomics are needed and runs repeat
// bit for bit.
//
// One invocation computes one dx; a workgroup of 64 computes 64 neighbours.
//   dy    [N P Q C]  read
//   index [N P Q C]  read where IS_MAX: h·W + w of the maximum
//   dx    [N H W C]  written
// Window p covers pixel h where h = p·stride − pad + r·DILATION_H for an r below R.
// Overrides: IS_MAX; COUNT_PADDING, where an average counted the pixels of the padding too; DILATION_H,
// DILATION_W.
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
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

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
  if (i >= N * H * W * C) {
    return;
  }
  let c = i % C;
  let w = (i / C) % W;
  let h = (i / (C * W)) % H;
  let n = i / (C * W * H);

  let rows = windows_over(h, (params.size.x - 1u) * DILATION_H + 1u, params.stride.x, params.pad.x, P);
  let columns = windows_over(w, (params.size.y - 1u) * DILATION_W + 1u, params.stride.y, params.pad.y, Q);
  let at = u32(h * W + w);
  var sum = f32(0.0);
  for (var p = rows.x; p < rows.y; p++) {
    for (var q = columns.x; q < columns.y; q++) {
      let window = ((n * P + p) * Q + q) * C + c;
      if (IS_MAX) {
        sum += select(f32(0.0), dy[window], index[window] == at);
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
