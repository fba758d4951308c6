// Gradient of a depthwise convolution's input for one filter per channel, four channels at a time.
// Improves depthwise_conv2d_grad_input_naive: loads and stores are vec4, and a weight that is
// loaded serves TW pixels of a row.
//
// One invocation computes TW neighbouring pixels of a row for four channels; a workgroup of 64
// covers 64 such pieces, whose channels lie side by side.
//   dy [N P Q C]  read, as vec4 along C; C a multiple of 4
//   w  [R S C 1]  read, likewise
//   dx [N H W C]  written
// Tap r leads from pixel h back to p = (h + pad − r·dilation) / stride, where there is no remainder.
// Tunables: TW.
// Limits: WebGPU's defaults.

const TW: u32 = 4u; // @tune

struct Params {
  x_shape: vec4<u32>, // N H W C
  y_shape: vec4<u32>, // N P Q C·M
  filter_size: vec2<u32>, // R S
  stride: vec2<u32>,
  pad: vec2<u32>,
  dilation: vec2<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let N = params.x_shape.x;
  let H = params.x_shape.y;
  let W = params.x_shape.z;
  let C4 = params.x_shape.w / 4u;
  let P = params.y_shape.y;
  let Q = params.y_shape.z;
  let R = params.filter_size.x;
  let S = params.filter_size.y;
  let tiles = (W + TW - 1u) / TW;

  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= N * H * tiles * C4) {
    return;
  }
  let c = i % C4;
  let column = (i / C4) % tiles * TW;
  let h = (i / (C4 * tiles)) % H;
  let n = i / (C4 * tiles * H);

  var sum: array<vec4<f32>, TW>;
  for (var r = 0u; r < R; r++) {
    let scaled_p = h + params.pad.x - r * params.dilation.x;
    let p = scaled_p / params.stride.x;
    // A negative scaled_p wraps to a huge p.
    if (p * params.stride.x != scaled_p || p >= P) {
      continue;
    }
    let dy_row = (n * P + p) * Q;
    for (var s = 0u; s < S; s++) {
      let weight = w[(r * S + s) * C4 + c];
      for (var t = 0u; t < TW; t++) {
        let scaled_q = column + t + params.pad.y - s * params.dilation.y;
        let q = scaled_q / params.stride.y;
        if (q * params.stride.y == scaled_q && q < Q) {
          sum[t] = fma(dy[(dy_row + q) * C4 + c], weight, sum[t]);
        }
      }
    }
  }
  for (var t = 0u; t < TW; t++) {
    if (column + t < W) {
      dx[((n * H + h) * W + column + t) * C4 + c] = sum[t];
    }
  }
}
