// The gradient of conv2d_pick_pixels: pixels go back to where they were picked, between zeros.
//
// One invocation writes one value of Lanes; a workgroup of 64 writes 64 neighbours, channels first.
// The grid may be folded into two dimensions.
//   dy     [N P Q C]  read, in values of Lanes; C comes divided by their width
//   addend [N H W C]  read where params.has_addend, and added
//   dx     [N H W C]  written
// Tunables: Lanes, f32, or vec4<f32> where C is divisible by four.
// Limits: WebGPU's defaults.

alias Lanes = f32; // @tune

struct Params {
  x_shape: vec4<u32>,
  y_shape: vec4<u32>,
  stride: vec2<u32>,
  has_addend: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<Lanes>;
@group(0) @binding(2) var<storage, read> addend: array<Lanes>;
@group(0) @binding(3) var<storage, read_write> dx: array<Lanes>;

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
  let pixel = vec2<u32>(i / C / W % H, i / C % W);
  let n = i / C / W / H;
  let picked = pixel / params.stride;
  var sum = Lanes();
  if (all(picked * params.stride == pixel) && picked.x < P && picked.y < Q) {
    sum = dy[((n * P + picked.x) * Q + picked.y) * C + c];
  }
  if (params.has_addend != 0u) {
    sum += addend[i];
  }
  dx[i] = sum;
}
