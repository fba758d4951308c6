// y[p, k] = 1 where indices[p] = k, else 0; a row of NaN where the index is out of range.
//
// One invocation writes one element; a workgroup of 64 writes 64 neighbours. The grid may be
// folded into two dimensions.
//   indices [P]  read, i32 or u32      y [P, depth]  written
// Limits: WebGPU's defaults.

struct Params {
  size: u32,
  depth: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

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
  let index = indices[i / params.depth];
  if (index >= params.depth) {
    let nan_bits = 0x7fc00000u;
    y[i] = bitcast<f32>(nan_bits);
  } else {
    y[i] = select(0.0, 1.0, index == i % params.depth);
  }
}
