// Gradient of pooling, four channels an invocation, for C divisible by four. Improves
// pool2d_backward_naive: the windows over a pixel are found once for four channels, and loads and
// stores are vectors.
//
// One invocation computes four channels of dx; a workgroup of 64 computes 64 neighbours. All
// shapes come with C already divided by four.
//   dy    [N P Q C/4] of vec4  read
//   index [N P Q C/4] of vec4  read where IS_MAX: h·W + w of each maximum
//   dx    [N H W C/4] of vec4  written
// Overrides: IS_MAX; COUNT_PADDING, as in pool2d_backward_naive.
// Limits: WebGPU's defaults.

override IS_MAX: bool = true;
override COUNT_PADDING: bool = false;

struct Params {
  x_shape: vec4<u32>,
  y_shape: vec4<u32>,
  size: vec2<u32>,
  stride: vec2<u32>,
  pad: vec2<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> index: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<f32>>;

// The first window along one axis that covers pixel `at`, and one past the last.
fn windows_over(at: u32, size: u32, stride: u32, pad: u32, outputs: u32) -> vec2<u32> {
  let padded = at + pad;
  let first = select((padded - size) / stride + 1u, 0u, padded < size);
  return vec2<u32>(first, min(padded / stride + 1u, outputs));
}

// Pixels of a window along one axis that lie inside the image.
fn covered(window: u32, size: u32, stride: u32, pad: u32, length: u32) -> u32 {
  let begin = i32(window * stride) - i32(pad);
  return u32(min(begin + i32(size), i32(length)) - max(begin, 0));
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

  let rows = windows_over(h, params.size.x, params.stride.x, params.pad.x, P);
  let columns = windows_over(w, params.size.y, params.stride.y, params.pad.y, Q);
  let at = vec4<u32>(h * W + w);
  var sum = vec4<f32>(0.0);
  for (var p = rows.x; p < rows.y; p++) {
    for (var q = columns.x; q < columns.y; q++) {
      let window = ((n * P + p) * Q + q) * C + c;
      if (IS_MAX) {
        sum += select(vec4<f32>(0.0), dy[window], index[window] == at);
      } else {
        var count = params.size.x * params.size.y;
        if (!COUNT_PADDING) {
          count = covered(p, params.size.x, params.stride.x, params.pad.x, H) *
            covered(q, params.size.y, params.stride.y, params.pad.y, W);
        }
        sum += dy[window] / f32(count);
      }
    }
  }
  dx[i] = sum;
}
