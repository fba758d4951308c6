// Gradient of a depthwise convolution's filters, the plain way: each weight sums over every output it took part in,
// dw[r,s,c,m] = Σ_{n,p,q} x[n,h,w,c] · dy[n,p,q,c·M+m].
//
// One invocation computes one dw; a workgroup of 64 computes 64 neighbours, which share the tap and
// differ in the channel.
//   x  [N H W C]    read
//   dy [N P Q C·M]  read
//   dw [R S C M]    written
// Limits: WebGPU's defaults.

struct Params {
  x_shape: vec4<u32>, // N H W C
  y_shape: vec4<u32>, // N P Q C·M
  filter_size: vec2<u32>, // R S
  stride: vec2<u32>,
  pad: vec2<u32>,
  dilation: vec2<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;

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
  let K = params.y_shape.w;
  let R = params.filter_size.x;
  let S = params.filter_size.y;

  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= R * S * K) {
    return;
  }
  let k = i % K;
  let s = (i / K) % S;
  let r = i / (K * S);
  let c = k / (K / C);

  var sum = 0.0;
  for (var n = 0u; n < N; n++) {
    for (var p = 0u; p < P; p++) {
      // Unsigned: a tap above the image wraps to a huge number and fails the comparison too.
      let h = p * params.stride.x + r * params.dilation.x - params.pad.x;
      if (h >= H) {
        continue;
      }
      for (var q = 0u; q < Q; q++) {
        let column = q * params.stride.y + s * params.dilation.y - params.pad.y;
        if (column < W) {
          sum += x[((n * H + h) * W + column) * C + c] * dy[((n * P + p) * Q + q) * K + k];
        }
      }
    }
  }
  dw[i] = sum;
}
