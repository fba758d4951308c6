// Gradient of a depthwise convolution's filters for one filter per channel: four channels at a time,
// and the long sum over images and positions cut into slices.
// Improves depthwise_conv2d_grad_weight_naive, which has one invocation for each weight and so too
// few of them: here each slice of the N·P output rows gives sums of its own, which sum_slices.wgsl
// adds up in order. A dy that is loaded serves the S taps of a filter row.
//
// One invocation computes the S weights of one filter row, four channels and one slice; a
// workgroup of 64 covers 64 of these, whose channels lie side by side.
//   x    [N H W C]       read, as vec4 along C; C a multiple of 4
//   dy   [N P Q C]       read, likewise
//   part [slices R S C]  written
// Tunables: S, the filter's width.
// Limits: WebGPU's defaults.

const S: u32 = 3u; // @tune

struct Params {
  x_shape: vec4<u32>, // N H W C
  p: u32,
  q: u32,
  filter_rows: u32,
  rows_per_slice: u32, // of the N·P rows of dy
  stride: vec2<u32>,
  pad: vec2<u32>,
  dilation: vec2<u32>,
  slices: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> part: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let H = params.x_shape.y;
  let W = params.x_shape.z;
  let C4 = params.x_shape.w / 4u;
  let P = params.p;
  let Q = params.q;
  let R = params.filter_rows;

  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.slices * R * C4) {
    return;
  }
  let c = i % C4;
  let r = (i / C4) % R;
  let slice = i / (C4 * R);
  let first = slice * params.rows_per_slice;
  let end = min(first + params.rows_per_slice, params.x_shape.x * P);

  var sum: array<vec4<f32>, S>;
  for (var row = first; row < end; row++) {
    // Unsigned: a tap above the image wraps to a huge number and fails the comparison too.
    let h = (row % P) * params.stride.x + r * params.dilation.x - params.pad.x;
    if (h >= H) {
      continue;
    }
    let x_row = (row / P * H + h) * W;
    for (var q = 0u; q < Q; q++) {
      let gradient = dy[(row * Q + q) * C4 + c];
      for (var s = 0u; s < S; s++) {
        let column = q * params.stride.y + s * params.dilation.y - params.pad.y;
        if (column < W) {
          sum[s] = fma(x[(x_row + column) * C4 + c], gradient, sum[s]);
        }
      }
    }
  }
  for (var s = 0u; s < S; s++) {
    part[((slice * R + r) * S + s) * C4 + c] = sum[s];
  }
}
