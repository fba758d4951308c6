// y[o] = scale · Σ_r term(x[o, r]), or their product, or the largest or smallest x[o, r].
// Read this file first: the other reduce_forward_* compute the same in slices.
//
// One invocation computes one output number; a workgroup of 64 computes 64 neighbours. The grid
// may be folded into two dimensions.
//   x      [kept and reduced axes, mixed]  read
//   center [outputs]                       read where KIND is 3 or 4
//   y      [outputs]                       written
// Neighbouring axes of one kind are merged, so three kept and three reduced ones describe x.
// Overrides: KIND (src/kernels/reduce.ts): 0 sum, 1 max, 2 min, 3 sum of (x − center)²,
//   4 number of elements equal to center, 5 product, 6 product of the elements that are not 0.
// Limits: WebGPU's defaults.

override KIND: u32 = 0u;

struct Params {
  kept_shape: vec3<u32>,
  outputs: u32,
  kept_strides: vec3<u32>,
  scale: f32,
  reduced_shape: vec3<u32>,
  reduced_strides: vec3<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> center: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

// The term an element adds to the sum.
fn term_of(value: f32, middle: f32) -> f32 {
  switch (KIND) {
    case 3u: { return (value - middle) * (value - middle); }
    case 4u: { return select(0.0, 1.0, value == middle); }
    case 6u: { return select(1.0, value, value != 0.0); }
    default: { return value; }
  }
}

// Told from the bits: compilers may take x != x for false.
fn is_nan(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
}

// Both comparisons let a NaN through, on whichever side it comes.
fn combine(so_far: f32, term: f32) -> f32 {
  switch (KIND) {
    case 1u: { return select(term, so_far, so_far >= term || is_nan(so_far)); }
    case 2u: { return select(term, so_far, so_far <= term || is_nan(so_far)); }
    case 5u, 6u: { return so_far * term; }
    default: { return so_far + term; }
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let output = (group.y * groups.x + group.x) * 64u + local;
  if (output >= params.outputs) {
    return;
  }
  let kept = params.kept_shape;
  let coordinates = vec3<u32>(
    output / (kept.z * kept.y),
    (output / kept.z) % kept.y,
    output % kept.z,
  );
  let first = dot(coordinates, params.kept_strides);
  var middle = 0.0;
  if (KIND == 3u || KIND == 4u) {
    middle = center[output];
  }

  var result = 0.0;
  if (KIND == 1u || KIND == 2u) {
    result = x[first];
  } else if (KIND >= 5u) {
    result = 1.0;
  }
  for (var i = 0u; i < params.reduced_shape.x; i++) {
    for (var j = 0u; j < params.reduced_shape.y; j++) {
      for (var k = 0u; k < params.reduced_shape.z; k++) {
        let place = first + dot(vec3<u32>(i, j, k), params.reduced_strides);
        result = combine(result, term_of(x[place], middle));
      }
    }
  }
  y[output] = result * params.scale;
}
