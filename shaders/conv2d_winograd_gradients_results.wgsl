// Both gradients of Winograd's convolution F(2×2, 3×3), last part: what conv2d_winograd_output makes of
// the first product, with a residual, and conv2d_winograd_grad_filter of the second, in one dispatch.
//
// filter_groups workgroups of 64 make the taps of one c and four k per invocation. Dealt out among them
// image_groups make 2×2 pixels of four channels.
//   m        [16 tiles C]  read, as vec4 along C; C a multiple of 4; tiles are N·⌈H/2⌉·⌈W/2⌉, row by row
//   residual [N H W C]     read where HAS_RESIDUAL, as vec4 along C
//   y        [N H W C]     written, as vec4 along C: dx
//   m_dw     [16 C K]      read, as vec4 along K; K a multiple of 4
//   dw       [3 3 C K]     written, as vec4 along K
// Overrides: HAS_RESIDUAL. Limits: WebGPU's defaults.
// @use lib/activation.wgsl
// @use lib/deal.wgsl
// @use lib/winograd_output.wgsl
// @use lib/winograd_taps.wgsl

const F: u32 = 2u;
const T: u32 = 4u;
alias Line = array<vec4<f32>, 6>; // the last two are unused

override HAS_RESIDUAL: bool = false;
const ACTIVATION: u32 = 0u;

struct Params {
  y_shape: vec4<u32>,
  tiles: vec2<u32>, // of one image: rows, columns
  filter_vectors: u32, // C·K/4
  filter_groups: u32,
  image_groups: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> m: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> residual: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> m_dw: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> dw: array<vec4<f32>>;

fn bias_of(_k4: u32) -> vec4<f32> {
  return vec4<f32>();
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
    make_taps(share.place * 64u + local);
  } else {
    make_pixels(share.place * 64u + local);
  }
}
