// Winograd's convolution F(F×F, 3×3): the filter of the input's gradient, U = G·w′·Gᵀ, where w′ is w
// turned round with input and output exchanged, w′[r s k c] = w[2−r 2−s c k]. Improves
// conv2d_flip_filter and conv2d_winograd_filter after it: w′ is never written.
//
// One invocation transforms the taps of four c and four k, which it loads along k and stores along
// c; a workgroup of 64 takes 64 neighbours along c.
//   w [3 3 C K]  read, as vec4 along K; C and K multiples of 4
//   u [T² K C]   written, as vec4 along C; T = F + 2
// Tunables: F, 2 or 4. Limits: WebGPU's defaults.
// @use lib/winograd_filter.wgsl

const F: u32 = 2u; // @tune
const T: u32 = F + 2u;
alias Line = array<vec4<f32>, 6>; // F = 2 leaves the last two unused

struct Params {
  C4: u32,
  K4: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> u: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let C4 = params.C4;
  let K4 = params.K4;
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= C4 * K4) {
    return;
  }
  let c4 = i % C4;
  let k4 = i / C4;

  // Tap (r, s) of w′ for four k: the vectors along c that a transposed 4×4 block holds.
  var taps: array<mat4x4<f32>, 9>;
  for (var tap = 0u; tap < 9u; tap++) {
    let from_w = ((8u - tap) * C4 * 4u + c4 * 4u) * K4 + k4;
    taps[tap] = transpose(
      mat4x4<f32>(w[from_w], w[from_w + K4], w[from_w + 2u * K4], w[from_w + 3u * K4]),
    );
  }
  for (var k = 0u; k < 4u; k++) {
    var columns: array<Line, 3>;
    for (var s = 0u; s < 3u; s++) {
      columns[s] = along(taps[s][k], taps[3u + s][k], taps[6u + s][k]);
    }
    for (var row = 0u; row < T; row++) {
      let line = along(columns[0][row], columns[1][row], columns[2][row]);
      for (var column = 0u; column < T; column++) {
        u[((row * T + column) * K4 * 4u + k4 * 4u + k) * C4 + c4] = line[column];
      }
    }
  }
}
