// dz = dy · activation′(z), with the derivative computed from the output y.
//
// One invocation computes four neighbouring elements; a workgroup of 64 covers 256. The grid may
// be folded into two dimensions; elements past the end fall into the padding of the buffers.
//   dy [L]  read      y [L]  read      dz [L]  written
// Overrides: ACTIVATION, a number of lib/activation.wgsl.
// Limits: WebGPU's defaults.
// @use lib/activation.wgsl

override ACTIVATION: u32 = 1u;

struct Params {
  vectors: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dz: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.vectors) {
    return;
  }
  let out = y[i];
  dz[i] = dy[i] * vec4<f32>(
    activation_derivative(out.x, ACTIVATION),
    activation_derivative(out.y, ACTIVATION),
    activation_derivative(out.z, ACTIVATION),
    activation_derivative(out.w, ACTIVATION),
  );
}
