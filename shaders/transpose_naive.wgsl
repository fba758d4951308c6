// Reorders up to six axes: y[i0, i1, …] = x at Σ i_k · stride_k.
//
// One invocation writes one element; a workgroup of 64 writes 64 neighbours of y, which lie apart
// in x. The grid may be folded into two dimensions. Elements are copied as words.
//   x  read      y [shape]  written
// The axes of y come last to the end: shape (a b c d e f) = shape_low.xy, shape_high; unused
// first axes are 1. Strides are those of the same axes in x.
// Limits: WebGPU's defaults.

struct Params {
  shape_high: vec4<u32>,
  stride_high: vec4<u32>,
  shape_low: vec2<u32>,
  stride_low: vec2<u32>,
  size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

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
  var rest = i;
  var from_index = (rest % params.shape_high.w) * params.stride_high.w;
  rest /= params.shape_high.w;
  from_index += (rest % params.shape_high.z) * params.stride_high.z;
  rest /= params.shape_high.z;
  from_index += (rest % params.shape_high.y) * params.stride_high.y;
  rest /= params.shape_high.y;
  from_index += (rest % params.shape_high.x) * params.stride_high.x;
  rest /= params.shape_high.x;
  from_index += (rest % params.shape_low.y) * params.stride_low.y;
  rest /= params.shape_low.y;
  from_index += rest * params.stride_low.x;
  y[i] = x[from_index];
}
