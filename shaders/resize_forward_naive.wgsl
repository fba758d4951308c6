// Images of another size: y[n, p, q, c] is read off x at row src(p) and column src(q), where
//   src(p) = max(p · a + b, 0) / d
// is a fraction of whole numbers, so that no rounding moves it. The whole part is the row before it,
// the remainder says how far it is to the next. Linear, the two rows are mixed; else the first is taken.
//
// One invocation computes one output (or four channels, with Lanes = vec4<f32>; C then counts
// vectors); a workgroup of 64 computes 64 neighbours. The grid may be folded into two dimensions.
//   x [N H W C]  read      y [N P Q C]  written
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
@group(0) @binding(1) var<storage, read> x: array<Lanes>;
@group(0) @binding(2) var<storage, read_write> y: array<Lanes>;

// Two neighbours along an axis and the share of the second.
struct Taps {
  near: u32,
  far: u32,
  near_weight: f32,
  far_weight: f32,
}

fn taps_of(p: u32, axis: vec3<i32>, length: u32) -> Taps {
  let numerator = u32(max(i32(p) * axis.x + axis.y, 0));
  let d = u32(axis.z);
  let near = min(numerator / d, length - 1u);
  let rest = numerator % d;
  return Taps(near, min(near + 1u, length - 1u), f32(d - rest) / f32(d), f32(rest) / f32(d));
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let W = params.x_shape.z;
  let C = params.x_shape.w;
  let P = params.y_shape.y;
  let Q = params.y_shape.z;
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.y_shape.x * P * Q * C) {
    return;
  }
  let c = i % C;
  let q = (i / C) % Q;
  let p = (i / (C * Q)) % P;
  let n = i / (C * Q * P);
  let row = taps_of(p, params.rows, params.x_shape.y);
  let column = taps_of(q, params.columns, W);
  let image = n * params.x_shape.y;
  let near = (image + row.near) * W;
  if (!LINEAR) {
    y[i] = x[(near + column.near) * C + c];
    return;
  }
  let far = (image + row.far) * W;
  let top = column.near_weight * x[(near + column.near) * C + c] +
    column.far_weight * x[(near + column.far) * C + c];
  let bottom = column.near_weight * x[(far + column.near) * C + c] +
    column.far_weight * x[(far + column.far) * C + c];
  y[i] = row.near_weight * top + row.far_weight * bottom;
}
