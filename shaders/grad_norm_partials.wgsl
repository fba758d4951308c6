// First pass of the norm of all gradients: partials[first + group] = Σ g² over 4096 elements.
//
// One workgroup of 64 sums 1024 vectors: invocation i takes vectors i, i + 64, … of its block, and
// the 64 sums are added in a tree of fixed order, so runs repeat bit for bit.
//   gradients [L]  read; L a multiple of 256, its padding zero
//   partials  [groups of all gradients]  written from `first` on
// Limits: WebGPU's defaults.

struct Params {
  vectors: u32,
  blocks: u32,
  first: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> partials: array<f32>;

var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let block = group.y * groups.x + group.x;
  let end = min(params.vectors, (block + 1u) * 1024u);
  var sum = 0.0;
  for (var i = block * 1024u + local; i < end; i += 64u) {
    sum += dot(gradients[i], gradients[i]);
  }
  sums[local] = sum;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (local < half) {
      sums[local] += sums[local + half];
    }
    workgroupBarrier();
  }
  if (local == 0u && block < params.blocks) {
    partials[params.first + block] = sums[0];
  }
}
