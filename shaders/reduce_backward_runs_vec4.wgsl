// dx = dy of the output that an element of x went into, times what that element did to it.
// Improves reduce_backward_vec4 where vectors of four have one output each, or four neighbours: an
// invocation stays with its outputs through many vectors, so that what belongs to them is loaded,
// and the place is computed, once for all of them.
//
// Where rows were added into columns (inner > 1) an invocation takes one vector of columns and a
// slice of the rows. Where the last axis was added up (inner = 1, IS_LAST) it takes every slices-th
// vector of one output's terms. A workgroup of 64; neighbours write side by side in either case.
//   dy     [outer, inner]         read, as vec4
//   x      [outer, terms, inner]  read where KIND is 1 or above, as vec4
//   center [outer, inner]         read where KIND is 1: the mean; 2: the extreme; 3: the product without zeros
//   ties   [outer, inner]         read where KIND is 2: how many elements equal the extreme; 3: how many are 0
//   dx     [outer, terms, inner]  written, as vec4
// inner, or else terms, a multiple of 4.
// Overrides: KIND as in reduce_backward_naive; IS_LAST.
// Limits: WebGPU's defaults.

override KIND: u32 = 0u;
override IS_LAST: bool = false;

struct Params {
  outer: u32,
  rows: u32, // terms, or 1 where IS_LAST
  width: u32, // vectors of a row: inner/4, or terms/4 where IS_LAST
  slices: u32,
  factor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> center: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> ties: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> dx: array<vec4<f32>>;

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
  let width = params.width;
  let slices = params.slices;
  let i = (group.y * groups.x + group.x) * 64u + local;
  let outer = i / (select(width, 1u, IS_LAST) * slices);
  if (outer >= params.outer) {
    return;
  }
  var first: u32;
  var step: u32;
  var end: u32;
  var output: u32; // of the vector, or of the number where IS_LAST
  if (IS_LAST) {
    first = outer * width + i % slices;
    step = slices;
    end = (outer + 1u) * width;
    output = outer;
  } else {
    let rows_of_slice = (params.rows + slices - 1u) / slices;
    let begin = i / width % slices * rows_of_slice;
    let past = min(begin + rows_of_slice, params.rows);
    output = outer * width + i % width;
    first = (outer * params.rows + begin) * width + i % width;
    step = width;
    end = (outer * params.rows + past) * width;
  }
  let gradient = params.factor * of_output(dy[select(output, output / 4u, IS_LAST)], output);
  if (KIND == 0u) {
    for (var at = first; at < end; at += step) {
      dx[at] = gradient;
    }
    return;
  }
  let middle = of_output(center[select(output, output / 4u, IS_LAST)], output);
  if (KIND == 1u) {
    for (var at = first; at < end; at += step) {
      dx[at] = gradient * (x[at] - middle);
    }
    return;
  }
  let tied = of_output(ties[select(output, output / 4u, IS_LAST)], output);
  if (KIND == 3u) {
    for (var at = first; at < end; at += step) {
      dx[at] = gradient * product_of_others(x[at], middle, tied);
    }
    return;
  }
  let share = gradient / tied;
  for (var at = first; at < end; at += step) {
    dx[at] = select(vec4<f32>(0.0), share, x[at] == middle);
  }
}

fn of_output(values: vec4<f32>, output: u32) -> vec4<f32> {
  if (IS_LAST) {
    return vec4<f32>(values[output % 4u]);
  }
  return values;
}
