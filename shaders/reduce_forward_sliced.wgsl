// y[o, s] = scale · Σ_r term(x[o, r]) over r = s, s + slices, s + 2·slices …, or their
// product, largest or smallest. Improves reduce_forward_naive: long sums of few outputs are cut into slices
// that run side by side; a second pass over y[o, ·], in order, adds the slices.
//
// One invocation computes one slice of one output. Neighbouring invocations read neighbouring
// numbers: they are slices of one output where a reduced axis is the last of x (SLICES_FIRST),
// else outputs. A workgroup of 64; the grid may be folded into two dimensions.
//   x      [kept and reduced axes, mixed]         read
//   center [outputs]                              read where KIND is 3 or 4
//   y      [outputs, slices] with SLICES_FIRST, else [slices, outputs]   written
// Overrides: KIND as in reduce_forward_naive; SLICES_FIRST; IS_ONE_AXIS where a single axis is
//   reduced, so that no index has to be decomposed in the loop.
// Limits: WebGPU's defaults.

override KIND: u32 = 0u;
override SLICES_FIRST: bool = false;
override IS_ONE_AXIS: bool = false;

struct Params {
  kept_shape: vec3<u32>,
  outputs: u32,
  kept_strides: vec3<u32>,
  scale: f32,
  reduced_shape: vec3<u32>,
  slices: u32,
  reduced_strides: vec3<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> center: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

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

fn offset_of(flat: u32, shape: vec3<u32>, strides: vec3<u32>) -> u32 {
  let coordinates = vec3<u32>(
    flat / (shape.z * shape.y),
    (flat / shape.z) % shape.y,
    flat % shape.z,
  );
  return dot(coordinates, strides);
}

fn offset_of_term(r: u32) -> u32 {
  if (IS_ONE_AXIS) {
    return r * params.reduced_strides.z;
  }
  return offset_of(r, params.reduced_shape, params.reduced_strides);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.outputs * params.slices) {
    return;
  }
  var output = i % params.outputs;
  var slice = i / params.outputs;
  if (SLICES_FIRST) {
    output = i / params.slices;
    slice = i % params.slices;
  }
  let first = offset_of(output, params.kept_shape, params.kept_strides);
  let terms = params.reduced_shape.x * params.reduced_shape.y * params.reduced_shape.z;
  var middle = 0.0;
  if (KIND == 3u || KIND == 4u) {
    middle = center[output];
  }
  // There are no more slices than terms, so each has a first one.
  var result = term_of(x[first + offset_of_term(slice)], middle);
  for (var r = slice + params.slices; r < terms; r += params.slices) {
    result = combine(result, term_of(x[first + offset_of_term(r)], middle));
  }
  y[i] = result * params.scale;
}
