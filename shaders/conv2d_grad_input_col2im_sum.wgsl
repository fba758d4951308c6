// Gradient of a convolution's input from its columns: the products of each pixel of dy with every
// tap of the filter, summed where they overlap (col2im).
//
// One invocation computes one number of dx: it adds those of the R·S products that fell on it, in
// the order of the taps. A workgroup of 64 covers 64 neighbours.
//   columns [N P Q T]  read; T at least R·S·C, the products of one pixel of dy
//   dx      [N H W C]  written
// Overrides: STRIDE_H, STRIDE_W, since software divides slowly by what it does not know.
// Limits: WebGPU's defaults.

override STRIDE_H: u32 = 1u;
override STRIDE_W: u32 = 1u;

struct Params {
  x_shape: vec4<u32>, // N H W C
  outputs: vec2<u32>, // P Q
  filter_size: vec2<u32>,
  pad: vec2<u32>,
  dilation: vec2<u32>,
  width: u32, // T
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> columns: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

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
  let P = params.outputs.x;
  let Q = params.outputs.y;
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

  var sum = 0.0;
  for (var r = 0u; r < R; r++) {
    // Unsigned: a tap that leads outside wraps to a huge number and fails the comparison too.
    let scaled_p = h + params.pad.x - r * params.dilation.x;
    let p = scaled_p / STRIDE_H;
    if (p >= P || p * STRIDE_H != scaled_p) {
      continue;
    }
    for (var s = 0u; s < S; s++) {
      let scaled_q = column + params.pad.y - s * params.dilation.y;
      let q = scaled_q / STRIDE_W;
      if (q < Q && q * STRIDE_W == scaled_q) {
        sum += columns[((n * P + p) * Q + q) * params.width + (r * S + s) * C + c];
      }
    }
  }
  dx[i] = sum;
}
