// Gradient of gather: dx[o, l, i] = Σ_{p: indices[p] = l} dy[o, p, i], in the order of p. Improves
// gather_backward_naive where the axis is long or the indices are many: each dy is added where it
// belongs instead of being looked for by every element of the axis.
//
// One invocation owns a column (o, ·, i) of dx: it clears it, then walks through the indices in
// order. No other invocation touches the column, so no atomics are needed and runs repeat bit for
// bit. A workgroup of 64 does 64 neighbouring columns. The grid may be folded into two dimensions.
//   dy [outer, picks, inner]  read      indices [picks]  read, i32 or u32
//   dx [outer, length, inner] written
// Negative indices count from the end; one out of range has no element to send its dy to.
// Overrides: IS_SIGNED, where indices may be negative.
// Limits: WebGPU's defaults.

override IS_SIGNED: bool = true;

struct Params {
  columns: u32,
  length: u32,
  picks: u32,
  inner: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

// −1 as unsigned is 2³² − 1, and sums are modulo 2³².
fn index_of(p: u32) -> u32 {
  let index = indices[p];
  return select(index, index + params.length, IS_SIGNED && index >= 0x80000000u);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let column = (group.y * groups.x + group.x) * 64u + local;
  if (column >= params.columns) {
    return;
  }
  let o = column / params.inner;
  let i = column % params.inner;
  let base = o * params.length * params.inner + i;
  for (var l = 0u; l < params.length; l++) {
    dx[base + l * params.inner] = 0.0;
  }
  for (var p = 0u; p < params.picks; p++) {
    let index = index_of(p);
    if (index < params.length) {
      dx[base + index * params.inner] += dy[(o * params.picks + p) * params.inner + i];
    }
  }
}
