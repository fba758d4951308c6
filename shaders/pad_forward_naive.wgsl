// Surrounds a box with a constant: y[i] = x[i − begin] where that lies inside x, else value.
//
// One invocation writes one element; a workgroup of 64 writes 64 neighbours. The grid may be
// folded into two dimensions. Elements are copied as words, so any type of four bytes will do.
//   x [inner]  read      y [outer]  written      up to four dimensions, the first ones 1
// Tunables: Elem, u32, or vec4<u32> where last dimensions and begin are multiples of four (then
// params count vectors along the last dimension).
// Limits: WebGPU's defaults.

alias Elem = u32; // @tune

struct Params {
  outer: vec4<u32>,
  inner: vec4<u32>,
  begin: vec4<u32>,
  size: u32,
  value: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Elem>;
@group(0) @binding(2) var<storage, read_write> y: array<Elem>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.size) {
    return;
  }
  let outer = params.outer;
  let inner = params.inner;
  let row = i / outer.w;
  let plane = row / outer.z;
  let index = vec4<u32>(plane / outer.y, plane % outer.y, row % outer.z, i % outer.w);
  // Unsigned: before the box the difference wraps to a huge number and fails the comparison too.
  let at = index - params.begin;
  var value = Elem(params.value);
  if (all(at < inner)) {
    value = x[((at.x * inner.y + at.y) * inner.z + at.z) * inner.w + at.w];
  }
  y[i] = value;
}
