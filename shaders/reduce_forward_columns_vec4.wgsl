// y[s, b, k] = scale · Σ_r term(x[b, r, k]) over the rows r = s, s + slices, s + 2·slices …, or their
// product, largest or smallest. Improves reduce_forward_sliced where the last axis is kept and K a
// multiple of four, as in the gradient of a bias (B = 1) or a sum over the pixels of each image:
// four columns at once.
//
// One invocation computes four neighbouring columns of one slice, and its neighbours the next
// four: a workgroup of SIZE reads whole rows. The grid may be folded into two dimensions.
//   x      [B, rows, K]    read
//   center [B, K]          read where KIND is 3 or 4
//   y      [slices, B, K]  written; a second pass, in order, adds the slices up
// Tunables: SIZE. Overrides: KIND as in reduce_forward_naive.
// Limits: WebGPU's defaults.

override KIND: u32 = 0u;

const SIZE: u32 = 64u; // @tune

struct Params {
  rows: u32,
  columns: u32, // vectors of four: K / 4
  slices: u32,
  scale: f32,
  batches: u32, // B
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> center: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

fn term_of(value: vec4<f32>, middle: vec4<f32>) -> vec4<f32> {
  switch (KIND) {
    case 3u: { return (value - middle) * (value - middle); }
    case 4u: { return select(vec4<f32>(0.0), vec4<f32>(1.0), value == middle); }
    case 6u: { return select(vec4<f32>(1.0), value, value != vec4<f32>(0.0)); }
    default: { return value; }
  }
}

// Told from the bits: compilers may take x != x for false.
fn is_nan(value: vec4<f32>) -> vec4<bool> {
  return (bitcast<vec4<u32>>(value) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
}

// Both comparisons let a NaN through, on whichever side it comes.
fn combine(so_far: vec4<f32>, term: vec4<f32>) -> vec4<f32> {
  switch (KIND) {
    case 1u: { return select(term, so_far, (so_far >= term) | is_nan(so_far)); }
    case 2u: { return select(term, so_far, (so_far <= term) | is_nan(so_far)); }
    case 5u, 6u: { return so_far * term; }
    default: { return so_far + term; }
  }
}

@compute @workgroup_size(SIZE)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.y * groups.x + group.x) * SIZE + local;
  let outputs = params.batches * params.columns;
  if (i >= outputs * params.slices) {
    return;
  }
  let output = i % outputs;
  let slice = i / outputs;
  let batch = output / params.columns;
  var middle = vec4<f32>(0.0);
  if (KIND == 3u || KIND == 4u) {
    middle = center[output];
  }
  let step = params.slices * params.columns;
  let end = (batch + 1u) * params.rows * params.columns;
  // There are no more slices than rows, so each has a first one.
  let first = (batch * params.rows + slice) * params.columns + output % params.columns;
  var result = term_of(x[first], middle);
  for (var at = first + step; at < end; at += step) {
    result = combine(result, term_of(x[at], middle));
  }
  y[i] = result * params.scale;
}
