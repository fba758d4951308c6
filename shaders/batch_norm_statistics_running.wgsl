// The running statistics in the form that the other batch_norm kernels take: what a layer
// normalises with when it is not training. They are copied, so that a gradient computed later sees
// the values of its forward pass.
//
// One invocation takes one channel; a workgroup of 64 takes 64 neighbouring channels.
//   running_mean     [C]    read
//   running_variance [C]    read
//   statistics       [2 C]  written: the means, then 1 / √(variance + epsilon)
// Limits: WebGPU's defaults.

struct Params {
  C: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> running_mean: array<f32>;
@group(0) @binding(2) var<storage, read> running_variance: array<f32>;
@group(0) @binding(3) var<storage, read_write> statistics: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let c = (group.y * groups.x + group.x) * 64u + local;
  if (c >= params.C) {
    return;
  }
  statistics[c] = running_mean[c];
  statistics[params.C + c] = inverseSqrt(running_variance[c] + params.epsilon);
}
