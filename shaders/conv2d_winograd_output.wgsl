// Winograd's convolution F(F×F, 3×3), last part: tiles of the output, y = Aᵀ·m·A, with bias,
// residual and activation. See conv2d_winograd_operands.
//
// One invocation makes F×F pixels of four channels from T×T sums, T = F + 2; pixels beside the
// image are dropped. A workgroup of 64 takes 64 neighbours, channels first.
//   m        [T² tiles K]  read, as vec4 along K; K a multiple of 4
//   bias     [K]           read where HAS_BIAS
//   residual [N P Q K]     read where HAS_RESIDUAL, as vec4 along K
//   y        [N P Q K]     written, as vec4 along K
// Tunables: F, 2 or 4.
// Overrides: HAS_BIAS, HAS_RESIDUAL; ACTIVATION, a number of lib/activation.wgsl.
// Limits: WebGPU's defaults.
// @use lib/activation.wgsl
// @use lib/winograd_output.wgsl

const F: u32 = 2u; // @tune
const T: u32 = F + 2u;
alias Line = array<vec4<f32>, 6>; // F = 2 leaves the last two unused

override HAS_BIAS: bool = false;
override HAS_RESIDUAL: bool = false;
override ACTIVATION: u32 = 0u;

struct Params {
  y_shape: vec4<u32>,
  tiles: vec2<u32>, // of one image: rows, columns
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> m: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> residual: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

fn bias_of(k4: u32) -> vec4<f32> {
  if (HAS_BIAS) {
    return bias[k4];
  }
  return vec4<f32>();
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  make_pixels((group.y * groups.x + group.x) * 64u + local);
}
