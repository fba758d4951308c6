// The filter turned round and transposed: flipped[r,s,k,c] = w[R−1−r, S−1−s, c, k].
// With it the gradient of a stride-1 convolution's input is itself a convolution, of dy.
//
// One invocation moves one number; a workgroup of 64 writes 64 neighbours.
//   w       [R S C K]  read
//   flipped [R S K C]  written
// Limits: WebGPU's defaults.

struct Params {
  taps: u32, // R·S
  channels: u32, // C
  filters: u32, // K
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> flipped: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let C = params.channels;
  let K = params.filters;
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.taps * C * K) {
    return;
  }
  let c = i % C;
  let k = (i / C) % K;
  // Turning both axes round reverses the order of the taps.
  let tap = params.taps - 1u - i / (C * K);
  flipped[i] = w[(tap * C + c) * K + k];
}
