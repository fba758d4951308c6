// Two independent matmuls in one dispatch: the gradients of a convolution's input and filter. It saves the host a
// dispatch.
//
// first_groups workgroups compute tiles of the product with 1 in its names, second_groups of the one with
// 2, each as matmul_forward_subgroup8 does, whose header says what the bindings are. There is no bias, and
// the first alone may have a residual.
// Grid: the workgroups of both, interleaved and folded into x and y. Tunables: TM rows per workgroup.
// Limits: WebGPU's defaults, the feature subgroups, and WGSL's unrestricted_pointer_parameters.
// @use lib/deal.wgsl
// @use lib/matmul_subgroup8.wgsl
// @use lib/batch.wgsl
// @use lib/activation.wgsl
enable subgroups;
requires unrestricted_pointer_parameters;

const TM: u32 = 24u; // @tune
const ACTIVATION: u32 = 0u;

struct Params {
  first: Product,
  second: Product,
  first_groups: u32,
  second_groups: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a1: array<f32>;
@group(0) @binding(2) var<storage, read> b1: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> residual: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y1: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> a2: array<f32>;
@group(0) @binding(6) var<storage, read> b2: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> y2: array<vec4<f32>>;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let share = deal(
    group.y * groups.x + group.x,
    params.first_groups,
    params.second_groups,
  );
  if (share.is_first) {
    product_tile(share.place, lane, params.first, &a1, &b1, &b1, &residual, &y1);
  } else {
    product_tile(share.place, lane, params.second, &a2, &b2, &b2, &b2, &y2);
  }
}
