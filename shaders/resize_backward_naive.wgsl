// Gradient of resize: dx[n, h, w, c] = Σ over the outputs (p, q) that read pixel (h, w) of dy[n, p, q, c]
// times the weights they read it with. A pixel looks for its outputs, so that no two invocations
// write one number, no atomics are needed, and runs repeat bit for bit.
//
// src(p) = max(p · a + b, 0) / d (resize_forward_naive) does not fall with p: the outputs that read row
// h lie between those where it passes h − 1 and h + 1.
//
// One invocation computes one dx (or four channels, with Lanes = vec4<f32>; C then counts vectors); a
// workgroup of 64 computes 64 neighbours. The grid may be folded into two dimensions.
//   dy [N P Q C]  read      dx [N H W C]  written
// Overrides: LINEAR.
// Tunables: Lanes, f32 or vec4<f32>.
// Limits: WebGPU's defaults.

override LINEAR: bool = false;

alias Lanes = f32; // @tune

struct Params {
  x_shape: vec4<u32>,
  y_shape: vec4<u32>,
  rows: vec3<i32>, // a, b, d
  columns: vec3<i32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<Lanes>;
@group(0) @binding(2) var<storage, read_write> dx: array<Lanes>;

// The weight with which output p reads pixel `at` of an axis.
fn weight_of(at: u32, p: u32, axis: vec3<i32>, length: u32) -> f32 {
  let numerator = u32(max(i32(p) * axis.x + axis.y, 0));
  let d = u32(axis.z);
  let near = min(numerator / d, length - 1u);
  if (!LINEAR) {
    return select(0.0, 1.0, near == at);
  }
  let rest = numerator % d;
  let far = min(near + 1u, length - 1u);
  return select(0.0, f32(d - rest) / f32(d), near == at) +
    select(0.0, f32(rest) / f32(d), far == at);
}

// The first output that may read pixel `at`, and one past the last.
fn outputs_of(at: u32, axis: vec3<i32>, length: u32, outputs: u32) -> vec2<u32> {
  var begin = 0;
  var end = i32(outputs);
  if (axis.x > 0) {
    // The ends of an axis are also read by outputs that lie outside.
    if (at > 0u) {
      begin = max(((i32(at) - 1) * axis.z - axis.y) / axis.x, 0);
    }
    if (at + 1u < length) {
      end = min(((i32(at) + 1) * axis.z - axis.y) / axis.x + 1, end);
    }
  }
  return vec2<u32>(u32(begin), u32(end));
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let H = params.x_shape.y;
  let W = params.x_shape.z;
  let C = params.x_shape.w;
  let P = params.y_shape.y;
  let Q = params.y_shape.z;
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.x_shape.x * H * W * C) {
    return;
  }
  let c = i % C;
  let w = (i / C) % W;
  let h = (i / (C * W)) % H;
  let n = i / (C * W * H);
  let rows = outputs_of(h, params.rows, H, P);
  let columns = outputs_of(w, params.columns, W, Q);
  var sum = Lanes(0.0);
  for (var p = rows.x; p < rows.y; p++) {
    let row_weight = weight_of(h, p, params.rows, H);
    if (row_weight == 0.0) {
      continue;
    }
    for (var q = columns.x; q < columns.y; q++) {
      let weight = row_weight * weight_of(w, q, params.columns, W);
      // An output that does not read the pixel leaves it alone, be its gradient NaN.
      if (weight != 0.0) {
        sum += weight * dy[((n * P + p) * Q + q) * C + c];
      }
    }
  }
  dx[i] = sum;
}
