// Taps of a filter, flipped and transposed within each group: flipped[r,s,k,c] = w[first +
// step·(R′−1−r), first + step·(S′−1−s), c, k]. With them the gradient of a convolution's input is
// itself a convolution, of dy. For stride 1 all taps are taken; for other strides those of one phase
// (src/kernels/conv2d/phases.ts).
//
// One invocation moves one number; a workgroup of 64 writes 64 neighbours.
//   w       [R S C/groups K]    read
//   flipped [R′ S′ K/groups C]  written
// Tunables: Elem, f32 or f16.
// Limits: WebGPU's defaults.

alias Elem = f32; // @tune

struct Params {
  w_shape: vec4<u32>,
  taps: vec2<u32>, // R′ S′
  first: vec2<u32>,
  step: vec2<u32>,
  groups: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<Elem>;
@group(0) @binding(2) var<storage, read_write> flipped: array<Elem>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let group_c = params.w_shape.z;
  let C = group_c * params.groups;
  let K = params.w_shape.w;
  let group_k = K / params.groups;

  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.taps.x * params.taps.y * group_k * C) {
    return;
  }
  let c = i % C;
  let k = (i / C) % group_k + c / group_c * group_k;
  let tap = i / (C * group_k);
  let turned = params.taps - 1u - vec2<u32>(tap / params.taps.y, tap % params.taps.y);
  let source = params.first + turned * params.step;
  flipped[i] = w[((source.x * params.w_shape.y + source.y) * group_c + c % group_c) * K + k];
}
