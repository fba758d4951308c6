// A box of x: y[i] = x[begin + i].
//
// One invocation writes one element; a workgroup of 64 writes 64 neighbours. The grid may be
// folded into two dimensions. Elements are copied as words, so any type of four bytes will do.
//   x [outer]  read      y [inner]  written      up to four dimensions, the first ones 1
// Tunables: Elem, u32, or vec4<u32> where last dimensions and begin are multiples of four (then
// params count vectors along the last dimension).
// Limits: WebGPU's defaults.

alias Elem = u32; // @tune

struct Params {
  outer: vec4<u32>,
  inner: vec4<u32>,
  begin: vec4<u32>,
  size: u32,
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
  let row = i / inner.w;
  let plane = row / inner.z;
  let at = params.begin + vec4<u32>(plane / inner.y, plane % inner.y, row % inner.z, i % inner.w);
  y[i] = x[((at.x * outer.y + at.y) * outer.z + at.z) * outer.w + at.w];
}
