// Depthwise convolution of one filter per channel, a tile of pixels and four channels at a time.
// Improves depthwise_conv2d_forward_vec4, which loads each pixel again for every tap: here all taps
// stay in registers, a row of pixels is loaded once, and it serves every tap and row of the tile
// that needs it. Made for software adapters, where a load costs as much as ten multiply-adds.
//
// One invocation computes TP×TQ neighbouring pixels for four channels; a workgroup of 64 covers 64
// such tiles, whose channels lie side by side.
//   x    [N H W C]  read, as vec4 along C; C a multiple of 4
//   w    [R S C 1]  read, likewise
//   bias [C]        read where HAS_BIAS
//   y    [N P Q C]  written
// Tunables: R, S; STRIDE_H, STRIDE_W; TP, TQ. All are constants so that every loop over registers
// can be unrolled. Overrides: HAS_BIAS; ACTIVATION, a number of lib/activation.wgsl.
// Limits: WebGPU's defaults. Dilation 1.
// @use lib/activation.wgsl

const R: u32 = 3u; // @tune
const S: u32 = 3u; // @tune
const STRIDE_H: u32 = 1u; // @tune
const STRIDE_W: u32 = 1u; // @tune
const TP: u32 = 4u; // @tune
const TQ: u32 = 4u; // @tune

// What a tile reads of x.
const ROWS: u32 = (TP - 1u) * STRIDE_H + R;
const COLUMNS: u32 = (TQ - 1u) * STRIDE_W + S;

override HAS_BIAS: bool = false;
override ACTIVATION: u32 = 0u;

struct Params {
  x_shape: vec4<u32>, // N H W C
  y_shape: vec4<u32>, // N P Q C
  pad: vec2<u32>,
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
  let tiles_p = (P + TP - 1u) / TP;
  let tiles_q = (Q + TQ - 1u) / TQ;

  let index = (group.y * groups.x + group.x) * 64u + local;
  if (index >= N * tiles_p * tiles_q * C4) {
    return;
  }
  let c = index % C4;
  let q0 = (index / C4) % tiles_q * TQ;
  let p0 = (index / (C4 * tiles_q)) % tiles_p * TP;
  let n = index / (C4 * tiles_q * tiles_p);

  var weight: array<vec4<f32>, R * S>;
  for (var tap = 0u; tap < R * S; tap++) {
    weight[tap] = w[tap * C4 + c];
  }

  var sum: array<array<vec4<f32>, TQ>, TP>;
  // One row would do, but drivers rather unroll a loop that walks a whole array.
  var pixel: array<array<vec4<f32>, COLUMNS>, ROWS>;
  for (var row = 0u; row < ROWS; row++) {
    // Unsigned: a pixel outside the image wraps to a huge number and fails the comparison too.
    let h = p0 * STRIDE_H + row - params.pad.x;
    let x_row = (n * H + min(h, H - 1u)) * W;
    for (var j = 0u; j < COLUMNS; j++) {
      let column = q0 * STRIDE_W + j - params.pad.y;
      let value = x[(x_row + min(column, W - 1u)) * C4 + c];
      pixel[row][j] = select(vec4<f32>(), value, h < H && column < W);
    }
    for (var t = 0u; t < TP; t++) {
      let r = row - t * STRIDE_H; // wraps where this row of y does not see the row of x
      if (r < R) {
        for (var s = 0u; s < S; s++) {
          for (var u = 0u; u < TQ; u++) {
            sum[t][u] = fma(pixel[row][u * STRIDE_W + s], weight[r * S + s], sum[t][u]);
          }
        }
      }
    }
  }

  var shift = vec4<f32>();
  if (HAS_BIAS) {
    shift = bias[c];
  }
  for (var t = 0u; t < TP; t++) {
    for (var u = 0u; u < TQ; u++) {
      if (p0 + t < P && q0 + u < Q) {
        let z = sum[t][u] + shift;
        y[((n * P + p0 + t) * Q + q0 + u) * C4 + c] = vec4<f32>(
          activate(z.x, ACTIVATION),
          activate(z.y, ACTIVATION),
          activate(z.z, ACTIVATION),
          activate(z.w, ACTIVATION),
        );
      }
    }
  }
}
