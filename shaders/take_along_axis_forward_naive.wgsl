// Reads along one axis: y[o, p, i] = x[o, indices[o, p, i], i]. Negative indices count from the end; where an
// index is out of range, y is `outside`: NaN for floats.
//
// o stands for all axes before the one that is read along, i for all after it. One invocation writes
// one element; a workgroup of 64 writes 64 neighbours. The grid may be folded into two dimensions.
// Elements are copied as words, so any type of four bytes will do.
//   x [outer, length, inner]        read
//   indices [outer, picks, inner]   read, i32 or u32
//   y [outer, picks, inner]         written
// Overrides: IS_SIGNED, where indices may be negative.
// Limits: WebGPU's defaults.

override IS_SIGNED: bool = true;

struct Params {
  size: u32,
  length: u32,
  picks: u32,
  inner: u32,
  outside: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<u32>;

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
  let o = flat / (params.inner * params.picks);
  var index = indices[flat];
  if (IS_SIGNED && index >= 0x80000000u) {
    // −1 as unsigned is 2³² − 1, and sums are modulo 2³².
    index += params.length;
  }
  var value = params.outside;
  if (index < params.length) {
    value = x[(o * params.length + index) * params.inner + i];
  }
  y[flat] = value;
}
