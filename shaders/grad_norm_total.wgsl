// Second pass of the norm of all gradients: norm = √ Σ partials.
//
// One workgroup of 64: invocation i adds partials i, i + 64, … and the 64 sums are added in a tree
// of fixed order, so runs repeat bit for bit.
//   partials [count]  read
//   norm     [1]      written
// Limits: WebGPU's defaults.

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read_write> norm: array<f32>;

var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
  var sum = 0.0;
  for (var i = local; i < params.count; i += 64u) {
    sum += partials[i];
  }
  sums[local] = sum;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (local < half) {
      sums[local] += sums[local + half];
    }
    workgroupBarrier();
  }
  if (local == 0u) {
    norm[0] = sqrt(sums[0]);
  }
}
