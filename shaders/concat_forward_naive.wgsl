// One input's share of a concatenation: y[o, first + i] = x[o, i].
//
// Everything before the joined axis is one index o, the axis with all after it another, i.
// One invocation copies one element; a workgroup of 64 copies 64 neighbours. The grid may be
// folded into two dimensions. Elements are copied as words, so any type of four bytes will do.
//   x [rows, x_width]  read      y [rows, y_width]  written where this input goes
// Tunables: Elem, u32, or vec4<u32> where widths and first are multiples of four (then params
// count vectors).
// Limits: WebGPU's defaults.

alias Elem = u32; // @tune

struct Params {
  size: u32,
  x_width: u32,
  y_width: u32,
  first: u32,
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
  let row = i / params.x_width;
  y[row * params.y_width + params.first + i % params.x_width] = x[i];
}
