// Gradient of takeAlongAxis: dx[o, l, i] = Σ_{p: indices[o, p, i] = l} dy[o, p, i], in the order of p.
//
// One invocation sums one element and looks at every index of its row for it; a workgroup of 64 does 64
// neighbours. No two invocations write the same element, so no atomics are needed and runs repeat
// bit for bit. The grid may be folded into two dimensions.
//   dy [outer, picks, inner]        read
//   indices [outer, picks, inner]   read, i32 or u32
//   dx [outer, length, inner]       written
// Negative indices count from the end; one out of range has no element to send its dy to.
// Overrides: IS_SIGNED, where indices may be negative.
// Limits: WebGPU's defaults.

override IS_SIGNED: bool = true;

struct Params {
  size: u32,
  length: u32,
  picks: u32,
  inner: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

// −1 as unsigned is 2³² − 1, and sums are modulo 2³².
fn index_at(at: u32) -> u32 {
  let index = indices[at];
  return select(index, index + params.length, IS_SIGNED && index >= 0x80000000u);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let flat = (group.y * groups.x + group.x) * 64u + local;
  if (flat >= params.size) {
    return;
  }
  let i = flat % params.inner;
  let row = flat / params.inner;
  let o = row / params.length;
  let l = row % params.length;
  var sum = 0.0;
  for (var p = 0u; p < params.picks; p++) {
    let at = (o * params.picks + p) * params.inner + i;
    if (index_at(at) == l) {
      sum += dy[at];
    }
  }
  dx[flat] = sum;
}
