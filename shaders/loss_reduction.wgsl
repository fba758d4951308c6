// Sum or mean of the losses of all examples, in a fixed order, so that runs repeat bit for bit.
//
// A workgroup of 256 adds `slice` neighbouring losses: each invocation every 256th of them, then
// pairs, quads … through workgroup memory. More losses than one slice take a second pass over the
// partial sums of the first.
//   losses [L]  read
//   sums   [G]  written, one of each workgroup
// Sums are divided by `divisor`: 1, or the number of examples in the last pass of a mean.
// Limits: WebGPU's defaults.

struct Params {
  length: u32,
  slice: u32,
  divisor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> losses: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

var<workgroup> partial: array<f32, 256>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let begin = group.x * params.slice;
  let end = min(begin + params.slice, params.length);
  var sum = 0.0;
  for (var i = begin + local; i < end; i += 256u) {
    sum += losses[i];
  }
  partial[local] = sum;
  workgroupBarrier();
  for (var half = 128u; half > 0u; half /= 2u) {
    if (local < half) {
      partial[local] += partial[local + half];
    }
    workgroupBarrier();
  }
  if (local == 0u) {
    sums[group.x] = partial[0] / params.divisor;
  }
}
