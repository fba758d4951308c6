// dx = dy of the output that an element of x went into, times what that element did to it; one
// element of x an invocation.
//
// A workgroup of 64 covers 64 neighbours; the grid may be folded into two dimensions.
//   dy     [outputs]  read
//   x      [L]        read where KIND is 1 or above
//   center [outputs]  read where KIND is 1: the mean; 2: the extreme; 3: the product without zeros
//   ties   [outputs]  read where KIND is 2: how many elements equal the extreme; 3: how many are 0
//   dx     [L]        written
// The strides of the output are 0 along the reduced axes.
// Overrides: KIND: 0 sum and mean, dx = factor · dy; 1 variance, dx = factor · dy · (x − mean);
//   2 max and min, dx = dy / ties where x is the extreme, else 0; 3 product, dx = dy · the product of
//   the others, which is 0 where two elements are.
// Limits: WebGPU's defaults.
// @use lib/broadcast.wgsl

override KIND: u32 = 0u;

struct Params {
  outer_shape: vec3<u32>,
  size: u32,
  inner_shape: vec3<u32>,
  factor: f32,
  y_outer: vec3<u32>,
  y_inner: vec3<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> center: array<f32>;
@group(0) @binding(4) var<storage, read> ties: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

// dx / dy of a product: that of the others.
fn product_of_others(value: f32, product: f32, zeros: f32) -> f32 {
  if (zeros == 0.0) {
    return product / value;
  }
  return select(0.0, product, zeros == 1.0 && value == 0.0);
}

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
  let place = place_of(i, params.outer_shape, params.inner_shape);
  let output = offset_at(place, params.y_outer, params.y_inner);
  switch (KIND) {
    case 1u: { dx[i] = params.factor * dy[output] * (x[i] - center[output]); }
    case 2u: { dx[i] = select(0.0, dy[output] / ties[output], x[i] == center[output]); }
    case 3u: { dx[i] = dy[output] * product_of_others(x[i], center[output], ties[output]); }
    default: { dx[i] = params.factor * dy[output]; }
  }
}
