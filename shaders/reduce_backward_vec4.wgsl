// dx = dy of the output that an element of x went into, times what that element did to it.
// Improves reduce_backward_naive where x is [outer, terms, inner] with the middle reduced: four
// neighbouring elements per invocation, loaded and stored as vectors.
//
// A workgroup of 64 covers 256 elements; the grid may be folded into two dimensions, and elements
// past the end fall into the padding.
//   dy     [outer, inner]         read
//   x      [outer, terms, inner]  read where KIND is 1 or above
//   center [outer, inner]         read where KIND is 1: the mean; 2: the extreme; 3: the product without zeros
//   ties   [outer, inner]         read where KIND is 2: how many elements equal the extreme; 3: how many are 0
//   dx     [outer, terms, inner]  written
// Overrides: KIND as in reduce_backward_naive.
// Limits: WebGPU's defaults.

override KIND: u32 = 0u;

struct Params {
  quads: u32,
  terms: u32,
  inner: u32,
  factor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> center: array<f32>;
@group(0) @binding(4) var<storage, read> ties: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<vec4<f32>>;

fn output_of(flat: u32) -> u32 {
  let rows = flat / params.inner;
  return (rows / params.terms) * params.inner + flat % params.inner;
}

// dx / dy of a product: that of the others.
fn product_of_others(values: vec4<f32>, product: vec4<f32>, zeros: vec4<f32>) -> vec4<f32> {
  let is_lone_zero = (zeros == vec4<f32>(1.0)) & (values == vec4<f32>(0.0));
  let with_zeros = select(vec4<f32>(0.0), product, is_lone_zero);
  return select(with_zeros, product / values, zeros == vec4<f32>(0.0));
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.quads) {
    return;
  }
  // Past the end the outputs read are past theirs, where reads are clamped.
  let o = vec4<u32>(
    output_of(4u * i),
    output_of(4u * i + 1u),
    output_of(4u * i + 2u),
    output_of(4u * i + 3u),
  );
  let gradient = vec4<f32>(dy[o.x], dy[o.y], dy[o.z], dy[o.w]);
  if (KIND == 0u) {
    dx[i] = params.factor * gradient;
    return;
  }
  let middle = vec4<f32>(center[o.x], center[o.y], center[o.z], center[o.w]);
  if (KIND == 1u) {
    dx[i] = params.factor * gradient * (x[i] - middle);
    return;
  }
  let shares = vec4<f32>(ties[o.x], ties[o.y], ties[o.z], ties[o.w]);
  if (KIND == 3u) {
    dx[i] = gradient * product_of_others(x[i], middle, shares);
    return;
  }
  dx[i] = select(vec4<f32>(0.0), gradient / shares, x[i] == middle);
}
