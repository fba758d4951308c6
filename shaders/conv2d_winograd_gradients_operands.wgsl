// Both gradients of Winograd's convolution F(2×2, 3×3) with padding 1, whose output is as large as its
// input: what conv2d_winograd_operands_flipped and conv2d_winograd_grad_operands transform, in one
// dispatch. The tiles of dy that the gradient of the input needs are those of the filter's gradient with
// a pixel more all round, so that dy is read once for both.
//
// Three jobs for workgroups of 64: filter_groups of them transform the taps of four c and one k an
// invocation. Dealt out among them image_groups transform 4×4 pixels of four channels, the first
// grad_groups those of dy, the others those of x.
//   w  [3 3 C K]     read; C and K multiples of 4
//   u  [16 K C]      written, as vec4 along C: the filter flipped
//   dy [N H W K]     read, as vec4 along K
//   d  [16 tiles K]  written, as vec4 along K: Bᵀ·dy·B; tiles are N·⌈H/2⌉·⌈W/2⌉, row by row
//   e  [16 tiles K]  written, as vec4 along K: G·dy·Gᵀ
//   x  [N H W C]     read, as vec4 along C
//   v  [16 tiles C]  written, as vec4 along C: Bᵀ·x·B
// Limits: WebGPU's defaults.
// @use lib/deal.wgsl
// @use lib/winograd_filter.wgsl
// @use lib/winograd_filter_flipped.wgsl
// @use lib/winograd_input.wgsl

const F: u32 = 2u;
const T: u32 = 4u;
alias Line = array<vec4<f32>, 6>; // the last two are unused

struct Params {
  x_shape: vec4<u32>,
  pad: vec2<i32>,
  tiles: vec2<u32>, // of one image: rows, columns
  filter_groups: u32,
  image_groups: u32,
  grad_groups: u32,
  C4: u32,
  K: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> u: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> d: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> e: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> v: array<vec4<f32>>;

/// G times two pixels.
fn grad_line(a: vec4<f32>, b: vec4<f32>) -> array<vec4<f32>, 4> {
  return array<vec4<f32>, 4>(a, 0.5 * (a + b), 0.5 * (a - b), b);
}

/// Writes vector i of D and of E.
fn transform_dy(i: u32) {
  let H = params.x_shape.y;
  let W = params.x_shape.z;
  let K4 = params.K / 4u;
  let tiles_of_image = params.tiles.x * params.tiles.y;
  let vectors = params.x_shape.x * tiles_of_image * K4;
  if (i >= vectors) {
    return;
  }
  let k4 = i % K4;
  let tile = i / K4;
  let n = tile / tiles_of_image;
  let place = vec2<u32>(tile % tiles_of_image / params.tiles.y, tile % params.tiles.y);
  let corner = vec2<i32>(place * 2u) - 1;

  var pixels: array<Line, 4>; // by column
  for (var j = 0u; j < 4u; j++) {
    for (var k = 0u; k < 4u; k++) {
      // As unsigned numbers, those left of or above the image are too large as well.
      let at = vec2<u32>(corner + vec2<i32>(i32(k), i32(j)));
      if (at.x < H && at.y < W) {
        pixels[j][k] = dy[((n * H + at.x) * W + at.y) * K4 + k4];
      }
    }
  }
  let rows = input_tile(pixels);
  let left = grad_line(pixels[1][1], pixels[1][2]);
  let right = grad_line(pixels[2][1], pixels[2][2]);
  for (var row = 0u; row < 4u; row++) {
    let grad = grad_line(left[row], right[row]);
    for (var column = 0u; column < 4u; column++) {
      let to = (row * 4u + column) * vectors + i;
      d[to] = rows[row][column];
      e[to] = grad[column];
    }
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let share = deal(
    group.y * groups.x + group.x,
    params.filter_groups,
    params.image_groups,
  );
  if (share.is_first) {
    transform_filter(share.place * 64u + local);
  } else if (share.place < params.grad_groups) {
    transform_dy(share.place * 64u + local);
  } else {
    transform_input((share.place - params.grad_groups) * 64u + local);
  }
}
