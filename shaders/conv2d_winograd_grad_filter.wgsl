// Winograd's gradient of a 3×3 filter, F(3×3, 2×2), last part: the filter, dw = Aᵀ·m·A.
// The whole is explained in conv2d_winograd_grad_operands.
//
// One invocation makes the taps of one c and four k from 4×4 sums; a workgroup of 64 takes 64
// neighbours.
//   m  [16 C K]   read, as vec4 along K; K a multiple of 4
//   dw [3 3 C K]  written, as vec4 along K
// Limits: WebGPU's defaults.

alias Taps = array<vec4<f32>, 3>;

struct Params {
  vectors: u32, // C·K/4
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> m: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> dw: array<vec4<f32>>;

/// Aᵀ times four sums.
fn along(a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>) -> Taps {
  return Taps(a + b + c, b - c, b + c - d);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  let V = params.vectors;
  if (i >= V) {
    return;
  }
  var columns: array<Taps, 4>; // after Aᵀ·m
  for (var j = 0u; j < 4u; j++) {
    columns[j] = along(
      m[j * V + i],
      m[(4u + j) * V + i],
      m[(8u + j) * V + i],
      m[(12u + j) * V + i],
    );
  }
  for (var r = 0u; r < 3u; r++) {
    let taps = along(columns[0][r], columns[1][r], columns[2][r], columns[3][r]);
    for (var s = 0u; s < 3u; s++) {
      dw[(3u * r + s) * V + i] = taps[s];
    }
  }
}
