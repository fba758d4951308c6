// Matmul in registers, for adapters whose subgroups have 8 lanes (llvmpipe).
// Improves matmul_forward_naive: a number of a serves 32 columns, a number of b serves TM rows.
//
// A workgroup is one subgroup of 8 lanes. It computes TM rows and 32 columns of y: each lane owns
// 4 of the columns, in TM vec4 sums. The idea: loading 8 neighbours of a along k costs no more than
// loading one (lane j holds k + j), and a shuffle then hands each of the 8 to all lanes, so that
// no workgroup memory and no barrier is needed.
//   a        [… M K], or [… K M] where params.transpose_a  read
//   b        [… K N], or [… N K] where params.transpose_b  read, as vec4; N a multiple of 4, and K
//                                                          where it is transposed
//   bias     [N]                                           read where params.added has bit 0
//   residual [batches M N]                                 read where it has bit 1; with one slice
//   y        [slices batches M N]                          written, as vec4
// Grid: ⌈N/32⌉·⌈M/TM⌉·batches·slices workgroups in this order, columns first, folded into x and y
// (images have more rows than a grid has places). A slice sums params.depth of the K terms, a
// multiple of 8.
// Transposition is a parameter, not an override, so that a layer's forward and backward passes
// share one pipeline: llvmpipe takes up to a second to compile one.
// Tunables: TM rows per workgroup. Overrides: ACTIVATION, a number of lib/activation.wgsl; relu and
// relu6 come as params.clamp_range instead.
// Limits: WebGPU's defaults, the feature subgroups, and WGSL's unrestricted_pointer_parameters.
// @use lib/matmul_subgroup8.wgsl
// @use lib/batch.wgsl
// @use lib/activation.wgsl
enable subgroups;
requires unrestricted_pointer_parameters;

const TM: u32 = 24u; // @tune

override ACTIVATION: u32 = 0u;

struct Params {
  product: Product,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> residual: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  product_tile(
    group.y * groups.x + group.x,
    lane,
    params.product,
    &a,
    &b,
    &bias,
    &residual,
    &y,
  );
}
