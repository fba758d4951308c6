// Gradient of a depthwise convolution's input for one filter per channel, a tile of pixels and four
// channels at a time.
// Improves depthwise_conv2d_grad_input_vec4, which loads each dy again for every tap and finds by
// division which taps count: here all taps stay in registers, a row of dy is loaded once and serves
// every tap and row of the tile that needs it, and which these are is known when compiling. Made
// for software adapters, where a load costs as much as ten multiply-adds.
//
// One invocation computes TH×TW neighbouring pixels for four channels; a workgroup of 64 covers 64
// such tiles, whose channels lie side by side.
//   dy [N P Q C]  read, as vec4 along C; C a multiple of 4
//   w  [R S C 1]  read, likewise
//   dx [N H W C]  written
// Pixel h takes tap r from p = (h + pad − r) / stride, where there is no remainder. A tile begins at a
// multiple of the stride, so for its pixel h0 + t and the row p = h0 / stride + first + i of dy the
// tap is r = t + R − 1 − LEAD − i·stride, with first = ⌈(pad − R + 1) / stride⌉, the least p of
// pixel 0, and LEAD = first·stride − (pad − R + 1), what is rounded away. Columns likewise.
// Tunables: R, S; STRIDE_H, STRIDE_W; LEAD_H, LEAD_W; TH, TW, multiples of the strides. All are
// constants so that every loop over registers can be unrolled.
// Limits: WebGPU's defaults. Dilation 1.

const R: u32 = 3u; // @tune
const S: u32 = 3u; // @tune
const STRIDE_H: u32 = 1u; // @tune
const STRIDE_W: u32 = 1u; // @tune
const LEAD_H: u32 = 0u; // @tune
const LEAD_W: u32 = 0u; // @tune
const TH: u32 = 4u; // @tune
const TW: u32 = 4u; // @tune

// What a tile reads of dy.
const ROWS: u32 = (TH + R - 2u - LEAD_H) / STRIDE_H + 1u;
const COLUMNS: u32 = (TW + S - 2u - LEAD_W) / STRIDE_W + 1u;

const_assert TH % STRIDE_H == 0u && TW % STRIDE_W == 0u;
const_assert LEAD_H < STRIDE_H && LEAD_W < STRIDE_W;

struct Params {
  x_shape: vec4<u32>, // N H W C
  y_shape: vec4<u32>, // N P Q C
  first: vec2<i32>, // row and column of dy that pixel 0 begins with
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
  let tiles_h = (H + TH - 1u) / TH;
  let tiles_w = (W + TW - 1u) / TW;

  let index = (group.y * groups.x + group.x) * 64u + local;
  if (index >= N * tiles_h * tiles_w * C4) {
    return;
  }
  let c = index % C4;
  let tile_w = (index / C4) % tiles_w;
  let tile_h = (index / (C4 * tiles_w)) % tiles_h;
  let n = index / (C4 * tiles_w * tiles_h);
  // Unsigned: what lies above or left of dy wraps to a huge number, which is no row of dy either.
  let p0 = tile_h * (TH / STRIDE_H) + u32(params.first.x);
  let q0 = tile_w * (TW / STRIDE_W) + u32(params.first.y);

  var weight: array<vec4<f32>, R * S>;
  for (var tap = 0u; tap < R * S; tap++) {
    weight[tap] = w[tap * C4 + c];
  }

  var sum: array<array<vec4<f32>, TW>, TH>;
  // One row would do, but drivers rather unroll a loop that walks a whole array.
  var gradient: array<array<vec4<f32>, COLUMNS>, ROWS>;
  for (var i = 0u; i < ROWS; i++) {
    let p = p0 + i;
    let dy_row = (n * P + min(p, P - 1u)) * Q;
    for (var j = 0u; j < COLUMNS; j++) {
      let q = q0 + j;
      let value = dy[(dy_row + min(q, Q - 1u)) * C4 + c];
      gradient[i][j] = select(vec4<f32>(), value, p < P && q < Q);
    }
    for (var t = 0u; t < TH; t++) {
      let r = t + R - 1u - LEAD_H - i * STRIDE_H; // wraps below 0, and is no tap then
      for (var j = 0u; j < COLUMNS; j++) {
        for (var u = 0u; u < TW; u++) {
          let s = u + S - 1u - LEAD_W - j * STRIDE_W;
          if (r < R && s < S) {
            sum[t][u] = fma(gradient[i][j], weight[r * S + s], sum[t][u]);
          }
        }
      }
    }
  }

  for (var t = 0u; t < TH; t++) {
    for (var u = 0u; u < TW; u++) {
      let h = tile_h * TH + t;
      let column = tile_w * TW + u;
      if (h < H && column < W) {
        dx[((n * H + h) * W + column) * C4 + c] = sum[t][u];
      }
    }
  }
}
