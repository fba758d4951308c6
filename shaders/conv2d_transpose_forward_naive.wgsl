// Transposed convolution, the plain way: each output pixel collects from every input pixel whose
// stamp covers it, y[n,p,q,k] = activation( bias[k] + Σ_{r,s,c} x[n,h,w,c] · w[r,s,k,c] ).
// It is the gradient of a convolution's input, run forward; so its other kernels are those of conv2d.
//
// One invocation computes one output number; a workgroup of 64 computes 64 neighbours.
//   x    [N H W C]  read
//   w    [R S K/G C]  read: output channels, counted within their group, before input channels
//   bias [K]        read where HAS_BIAS
//   y    [N P Q K]  written
// Input pixel h is stamped at p = h·stride + r·dilation − pad, so tap r leads back to
//   h = (p + pad − r·dilation) / stride, where that division leaves no remainder.
// Overrides: HAS_BIAS; ACTIVATION, a number of lib/activation.wgsl.
// Limits: WebGPU's defaults.
// @use lib/activation.wgsl

override HAS_BIAS: bool = false;
override ACTIVATION: u32 = 0u;

struct Params {
  x_shape: vec4<u32>, // N H W C
  y_shape: vec4<u32>, // N P Q K
  filter_size: vec2<u32>, // R S
  stride: vec2<u32>,
  pad: vec2<u32>,
  dilation: vec2<u32>,
  groups: u32, // G: output channels of one group see the input channels of that group
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

  let group_outputs = K / params.groups;
  let group_inputs = C / params.groups;
  let first = k / group_outputs * group_inputs;

  var sum = 0.0;
  for (var r = 0u; r < R; r++) {
    let scaled_h = p + params.pad.x - r * params.dilation.x;
    let h = scaled_h / params.stride.x;
    // A negative scaled_h wraps to a huge h.
    if (h * params.stride.x != scaled_h || h >= H) {
      continue;
    }
    for (var s = 0u; s < S; s++) {
      let scaled_w = q + params.pad.y - s * params.dilation.y;
      let column = scaled_w / params.stride.y;
      if (column * params.stride.y != scaled_w || column >= W) {
        continue;
      }
      let x_base = ((n * H + h) * W + column) * C;
      let w_base = ((r * S + s) * group_outputs + k % group_outputs) * C;
      for (var c = first; c < first + group_inputs; c++) {
        sum += x[x_base + c] * w[w_base + c];
      }
    }
  }
  if (HAS_BIAS) {
    sum += bias[k];
  }
  y[i] = activate(sum, ACTIVATION);
}
