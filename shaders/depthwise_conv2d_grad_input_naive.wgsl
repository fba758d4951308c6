// Gradient of a depthwise convolution's input, the plain way: each input pixel collects from every
// output that read it, dx[n,h,w,c] = Σ_{r,s,m} dy[n,p,q,c·M+m] · w[r,s,c,m].
//
// One invocation computes one dx; a workgroup of 64 computes 64 neighbours.
//   dy [N P Q C·M]  read
//   w  [R S C M]    read
//   dx [N H W C]    written
// Output (p, q) read pixel h = p·stride + r·dilation − pad, so tap r leads back to
//   p = (h + pad − r·dilation) / stride, where that division leaves no remainder.
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
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
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
  let P = params.y_shape.y;
  let Q = params.y_shape.z;
  let K = params.y_shape.w;
  let R = params.filter_size.x;
  let S = params.filter_size.y;

  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= N * H * W * C) {
    return;
  }
  let c = i % C;
  let column = (i / C) % W;
  let h = (i / (C * W)) % H;
  let n = i / (C * W * H);
  let M = K / C;

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
      let dy_base = ((n * P + p) * Q + q) * K + c * M;
      let w_base = (r * S + s) * K + c * M;
      for (var m = 0u; m < M; m++) {
        sum += dy[dy_base + m] * w[w_base + m];
      }
    }
  }
  dx[i] = sum;
}
