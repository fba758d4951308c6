// Winograd's convolution F(F×F, 3×3), first part: the filter, U = G·w·Gᵀ.
// Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, arXiv:1509.09308.
//
// A tile of F×F outputs is computed from T×T inputs, T = F + 2, with T² products a channel instead
// of 9·F²: y = Aᵀ·(U ⊙ Bᵀ·x·B)·A. The sums over channels then are T² matrix products, one for each
// element of the tile.
// One invocation transforms the taps of one c and four k; a workgroup of 64 takes 64 neighbours.
//   w [3 3 C K]  read, as vec4 along K; K a multiple of 4
//   u [T² C K]   written, as vec4 along K
// Tunables: F, 2 or 4. Limits: WebGPU's defaults.
// @use lib/winograd_filter.wgsl

const F: u32 = 2u; // @tune
const T: u32 = F + 2u;
alias Line = array<vec4<f32>, 6>; // F = 2 leaves the last two unused

struct Params {
  vectors: u32, // C·K/4
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
  let i = (group.y * groups.x + group.x) * 64u + local;
  let V = params.vectors;
  if (i >= V) {
    return;
  }
  var columns: array<Line, 3>;
  for (var s = 0u; s < 3u; s++) {
    columns[s] = along(w[s * V + i], w[(3u + s) * V + i], w[(6u + s) * V + i]);
  }
  for (var row = 0u; row < T; row++) {
    let line = along(columns[0][row], columns[1][row], columns[2][row]);
    for (var column = 0u; column < T; column++) {
      u[(row * T + column) * V + i] = line[column];
    }
  }
}
