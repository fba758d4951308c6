// Swaps the last two axes: y[b, c, r] = x[b, r, c]. Improves transpose_naive, whose neighbours read
// from lines far apart: a tile of 32×32 goes through workgroup memory, so that both the reads
// (along c) and the writes (along r) are of neighbouring words.
//
// One workgroup of 32×8 moves one tile, an invocation four of its elements. Rows of the tile are
// one word longer than needed, which spreads a column over all memory banks.
//   x [B R C]  read      y [B C R]  written
// Grid: ⌈C / 32⌉ × ⌈R / 32⌉ × B.
// Limits: 256 invocations, 4.2 KiB of workgroup memory.

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

var<workgroup> tile: array<u32, 1056>; // 32 rows of 33

@compute @workgroup_size(32, 8)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let base = group.z * params.rows * params.columns;
  let column = group.x * 32u + local.x;
  for (var step = local.y; step < 32u; step += 8u) {
    let row = group.y * 32u + step;
    if (row < params.rows && column < params.columns) {
      tile[step * 33u + local.x] = x[base + row * params.columns + column];
    }
  }
  workgroupBarrier();
  let row = group.y * 32u + local.x;
  for (var step = local.y; step < 32u; step += 8u) {
    let target_row = group.x * 32u + step;
    if (target_row < params.columns && row < params.rows) {
      y[base + target_row * params.rows + row] = tile[local.x * 33u + step];
    }
  }
}
