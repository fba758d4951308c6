// Depthwise convolution of one filter per channel, four channels at a time.
// Improves depthwise_conv2d_forward_naive: loads and stores are vec4, and a weight that is loaded
// serves TQ pixels of a row.
//
// One invocation computes TQ neighbouring pixels of a row for four channels; a workgroup of 64
// covers 64 such pieces, whose channels lie side by side.
//   x    [N H W C]  read, as vec4 along C; C a multiple of 4
//   w    [R S C 1]  read, likewise
//   bias [C]        read where HAS_BIAS
//   y    [N P Q C]  written
// Tunables: TQ. Overrides: HAS_BIAS; ACTIVATION, a number of lib/activation.wgsl.
// Limits: WebGPU's defaults.
// @use lib/activation.wgsl

const TQ: u32 = 4u; // @tune

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
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

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
  let tiles = (Q + TQ - 1u) / TQ;

  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= N * P * tiles * C4) {
    return;
  }
  let c = i % C4;
  let q0 = (i / C4) % tiles * TQ;
  let p = (i / (C4 * tiles)) % P;
  let n = i / (C4 * tiles * P);

  var sum: array<vec4<f32>, TQ>;
  for (var r = 0u; r < R; r++) {
    // Unsigned: a tap outside the image wraps to a huge number and fails the comparison too.
    let h = p * params.stride.x + r * params.dilation.x - params.pad.x;
    if (h >= H) {
      continue;
    }
    let x_row = (n * H + h) * W;
    for (var s = 0u; s < S; s++) {
      let weight = w[(r * S + s) * C4 + c];
      let first = q0 * params.stride.y + s * params.dilation.y - params.pad.y;
      for (var t = 0u; t < TQ; t++) {
        let column = first + t * params.stride.y;
        if (column < W) {
          sum[t] = fma(x[(x_row + column) * C4 + c], weight, sum[t]);
        }
      }
    }
  }
  var shift = vec4<f32>();
  if (HAS_BIAS) {
    shift = bias[c];
  }
  for (var t = 0u; t < TQ; t++) {
    if (q0 + t < Q) {
      let z = sum[t] + shift;
      y[((n * P + p) * Q + q0 + t) * C4 + c] = vec4<f32>(
        activate(z.x, ACTIVATION),
        activate(z.y, ACTIVATION),
        activate(z.z, ACTIVATION),
        activate(z.w, ACTIVATION),
      );
    }
  }
}
