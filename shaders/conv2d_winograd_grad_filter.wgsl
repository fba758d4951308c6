// Winograd's gradient of a 3×3 filter, F(3×3, 2×2), last part: the filter, dw = Aᵀ·m·A.
// See conv2d_winograd_grad_operands.
//
// One invocation makes the taps of one c and four k from 4×4 sums; a workgroup of 64 takes 64
// neighbours.
//   m_dw [16 C K]   read, as vec4 along K; K a multiple of 4
//   dw   [3 3 C K]  written, as vec4 along K
// Limits: WebGPU's defaults.
// @use lib/winograd_taps.wgsl

struct Params {
  filter_vectors: u32, // C·K/4
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> m_dw: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> dw: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  make_taps((group.y * groups.x + group.x) * 64u + local);
}
