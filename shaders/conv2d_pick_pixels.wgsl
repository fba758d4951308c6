// Every few pixels of an image: what a 1×1 convolution with a stride reads of it. The convolution
// then is a matrix product over these pixels.
//
// One invocation copies one value of Lanes; a workgroup of 64 copies 64 neighbours, channels first.
// The grid may be folded into two dimensions.
//   x [N H W C]  read, in values of Lanes; C comes divided by their width
//   y [N P Q C]  written: pixel (p, q) is pixel (p, q) · stride of x
// Tunables: Lanes, f32, or vec4<f32> where C is divisible by four.
// Limits: WebGPU's defaults.

alias Lanes = f32; // @tune

struct Params {
  x_shape: vec4<u32>,
  y_shape: vec4<u32>,
  stride: vec2<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Lanes>;
@group(0) @binding(2) var<storage, read_write> y: array<Lanes>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let P = params.y_shape.y;
  let Q = params.y_shape.z;
  let C = params.y_shape.w;
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.y_shape.x * P * Q * C) {
    return;
  }
  let c = i % C;
  let q = i / C % Q;
  let p = i / C / Q % P;
  let n = i / C / Q / P;
  let h = p * params.stride.x;
  let column = q * params.stride.y;
  y[i] = x[((n * params.x_shape.y + h) * params.x_shape.z + column) * C + c];
}
