// Depthwise convolution, the plain way: every channel c has M filters of its own,
// y[n,p,q,c·M+m] = activation( bias[c·M+m] + Σ_{r,s} x[n,h,w,c] · w[r,s,c,m] ).
//
// One invocation computes one output number; a workgroup of 64 computes 64 neighbours, which
// share the pixel and differ in the channel.
//   x    [N H W C]    read
//   w    [R S C M]    read
//   bias [C·M]        read where HAS_BIAS
//   y    [N P Q C·M]  written
// Output (p, q) under tap (r, s) sees h = p·stride + r·dilation − pad; taps outside add nothing.
// Overrides: HAS_BIAS; ACTIVATION, a number of lib/activation.wgsl.
// Limits: WebGPU's defaults.
// @use lib/activation.wgsl

override HAS_BIAS: bool = false;
override ACTIVATION: u32 = 0u;

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
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

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
  if (i >= N * P * Q * K) {
    return;
  }
  let k = i % K;
  let q = (i / K) % Q;
  let p = (i / (K * Q)) % P;
  let n = i / (K * Q * P);
  let c = k / (K / C);

  var sum = 0.0;
  for (var r = 0u; r < R; r++) {
    // Unsigned: a tap above the image wraps to a huge number and fails the comparison too.
    let h = p * params.stride.x + r * params.dilation.x - params.pad.x;
    if (h >= H) {
      continue;
    }
    for (var s = 0u; s < S; s++) {
      let column = q * params.stride.y + s * params.dilation.y - params.pad.y;
      if (column < W) {
        sum += x[((n * H + h) * W + column) * C + c] * w[(r * S + s) * K + k];
      }
    }
  }
  if (HAS_BIAS) {
    sum += bias[k];
  }
  y[i] = activate(sum, ACTIVATION);
}
