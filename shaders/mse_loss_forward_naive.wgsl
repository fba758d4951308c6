// Squared error of each element: loss = (prediction − target)². Mean and sum follow in
// loss_reduction.
//
// One invocation computes one loss (or four, with Lanes = vec4<f32>, where elements past the end
// fall into the padding of the buffers); a workgroup of 64 computes 64 neighbours.
//   prediction [L]  read, in values of Lanes
//   labels     [L]  read
//   losses     [L]  written
// Tunables: Lanes, f32 or vec4<f32>.
// Limits: WebGPU's defaults.

alias Lanes = f32; // @tune

struct Params {
  size: u32, // values of Lanes
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> prediction: array<Lanes>;
@group(0) @binding(2) var<storage, read> labels: array<Lanes>;
@group(0) @binding(3) var<storage, read_write> losses: array<Lanes>;

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
  let d = prediction[i] - labels[i];
  losses[i] = d * d;
}
