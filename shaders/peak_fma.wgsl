// Multiply-adds in registers and nothing else: the most FLOP/s this adapter gives a shader.
//
// One invocation runs CHAINS independent chains sum = sum · factor + offset of vec4, `rounds` times
// over, and writes one number, so that nothing can be left out; a workgroup is 64 of them. The chains
// hide the latency of a multiply-add; more of them than there are registers would spill.
//   sink [L]  written
// Tunables: CHAINS. Limits: WebGPU's defaults.

const CHAINS: u32 = 4u; // @tune

struct Params {
  size: u32,
  rounds: u32,
  factor: f32,
  offset: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> sink: array<f32>;

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
  let factor = vec4<f32>(params.factor);
  let offset = vec4<f32>(params.offset);
  var sums: array<vec4<f32>, CHAINS>;
  for (var chain = 0u; chain < CHAINS; chain++) {
    sums[chain] = vec4<f32>(0.0, 0.25, 0.5, 0.75) + f32(i + chain) * 1e-6;
  }
  for (var round = 0u; round < params.rounds; round++) {
    for (var chain = 0u; chain < CHAINS; chain++) {
      sums[chain] = fma(sums[chain], factor, offset);
    }
  }
  var total = vec4<f32>(0.0);
  for (var chain = 0u; chain < CHAINS; chain++) {
    total += sums[chain];
  }
  sink[i] = dot(total, vec4<f32>(1.0));
}
