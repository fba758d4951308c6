// Gradient of a convolution's input, the plain way: each input pixel collects from every output
// that read it, dx[n,h,w,c] = Σ dy[n,p,q,k] · w[r,s,c,k].
//
// One invocation computes one dx; a workgroup of 64 computes 64 neighbours.
//   dy [N P Q K]         read
//   w  [R S C/groups K]  read
//   dx [N H W C]         written
// Output (p, q) read pixel h = p·stride + r·dilation − pad, so tap r leads back to
//   p = (h + pad − r·dilation) / stride, where that division leaves no remainder.
// Tunables: WElem, f32 or f16 (sums are f32 in either case).
// Limits: WebGPU's defaults.

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
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<WElem>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

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
  let channels = params.w_shape.z;
  let K = params.w_shape.w;
  let P = params.y_shape.y;
  let Q = params.y_shape.z;

  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= N * H * W * C) {
    return;
  }
  let c = i % C;
  let column = (i / C) % W;
  let h = (i / (C * W)) % H;
  let n = i / (C * W * H);
  // Output channels of c's group, and c's place among the inputs of that group.
  let filters = K / (C / channels);
  let first = (c / channels) * filters;
  let c_in_group = c % channels;

  var sum = 0.0;
  for (var r = 0u; r < R; r++) {
    let scaled_p = h + params.pad.x - r * params.dilation.x;
    let p = scaled_p / params.stride.x;
    // A negative scaled_p wraps to a huge p.
    if (p * params.stride.x != scaled_p || p >= P) {
      continue;
    }
    for (var s = 0u; s < S; s++) {
      let scaled_q = column + params.pad.y - s * params.dilation.y;
      let q = scaled_q / params.stride.y;
      if (q * params.stride.y != scaled_q || q >= Q) {
        continue;
      }
      let dy_base = ((n * P + p) * Q + q) * K + first;
      let w_base = ((r * S + s) * channels + c_in_group) * K + first;
      for (var k = 0u; k < filters; k++) {
        sum += dy[dy_base + k] * f32(w[w_base + k]);
      }
    }
  }
  dx[i] = sum;
}
