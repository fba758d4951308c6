// Convolution, the plain way:
//   y[n,p,q,k] = activation( bias[k] + residual[n,p,q,k] + Σ x[n,h,w,c] · w[r,s,c,k] ).
// Read this file first: every faster conv2d_forward_* computes the same sums in another order.
//
// One invocation computes one output number; a workgroup of 64 computes 64 neighbours, which
// share the pixel and differ in the channel k, so that their filter loads lie side by side.
//   x        [N H W C]         read
//   w        [R S C/groups K]  read
//   bias     [K]               read where HAS_BIAS
//   residual [N P Q K]         read where HAS_RESIDUAL
//   y        [N P Q K]         written
// The input pixel of output (p, q) under filter tap (r, s) is
//   h = p·stride + r·dilation − pad, and likewise w; taps outside the image add nothing.
// Overrides: HAS_BIAS, HAS_RESIDUAL; ACTIVATION, a number of lib/activation.wgsl.
// Tunables: XElem and WElem, f32 or f16 (sums are f32 in either case).
// Limits: WebGPU's defaults.
// @use lib/activation.wgsl

override HAS_BIAS: bool = false;
override HAS_RESIDUAL: bool = false;
override ACTIVATION: u32 = 0u;

alias XElem = f32; // @tune
alias WElem = f32; // @tune

struct Params {
  x_shape: vec4<u32>,
  w_shape: vec4<u32>,
  y_shape: vec4<u32>,
  stride: vec2<u32>,
  pad: vec2<u32>,
  dilation: vec2<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<XElem>;
@group(0) @binding(2) var<storage, read> w: array<WElem>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> residual: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

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
  let R = params.w_shape.x;
  let S = params.w_shape.y;
  let channels = params.w_shape.z; // input channels of one group
  let K = params.w_shape.w;
  let P = params.y_shape.y;
  let Q = params.y_shape.z;

  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= N * P * Q * K) {
    return;
  }
  let k = i % K;
  let q = (i / K) % Q;
  let p = (i / (K * Q)) % P;
  let n = i / (K * Q * P);
  // Output channel k sees the input channels of its own group alone.
  let first = (k / (K / (C / channels))) * channels;

  var sum = 0.0;
  for (var r = 0u; r < R; r++) {
    // Unsigned: a tap above the image wraps to a huge number and fails the comparison too.
    let h = p * params.stride.x + r * params.dilation.x - params.pad.x;
    if (h >= H) {
      continue;
    }
    for (var s = 0u; s < S; s++) {
      let column = q * params.stride.y + s * params.dilation.y - params.pad.y;
      if (column >= W) {
        continue;
      }
      let x_base = ((n * H + h) * W + column) * C + first;
      let w_base = (r * S + s) * channels * K + k;
      for (var c = 0u; c < channels; c++) {
        sum += f32(x[x_base + c]) * f32(w[w_base + c * K]);
      }
    }
  }
  if (HAS_BIAS) {
    sum += bias[k];
  }
  if (HAS_RESIDUAL) {
    sum += residual[i];
  }
  y[i] = activate(sum, ACTIVATION);
}
