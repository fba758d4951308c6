// Matmul, the plain way:
//   y[m,n] = activation( bias[n] + residual[m,n] + Σ_k a[m,k] · b[k,n] ).
// Read this file first: every faster matmul_* computes the same sums in another order. The
// gradients are products too (docs/ops/matmul.md), so they run here as well.
//
// One invocation computes one output number; a workgroup of 64 computes 64 neighbours, which
// share the row of a and read neighbouring columns of b.
//   a        [… M K], or [… K M] where TRANSPOSE_A  read
//   b        [… K N], or [… N K] where TRANSPOSE_B  read
//   bias     [N]                                    read where HAS_BIAS
//   residual [batches M N]                          read where HAS_RESIDUAL
//   y        [batches M N]                          written
// Leading axes broadcast, see lib/batch.wgsl.
// Tunables: AElem and BElem, the element types of a and b, f32 or f16; sums are f32 always.
// Overrides: TRANSPOSE_A, TRANSPOSE_B; HAS_BIAS, HAS_RESIDUAL; ACTIVATION, a number of
// lib/activation.wgsl.
// Limits: WebGPU's defaults.
// @use lib/batch.wgsl
// @use lib/activation.wgsl

alias AElem = f32; // @tune
alias BElem = f32; // @tune

override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;
override HAS_BIAS: bool = false;
override HAS_RESIDUAL: bool = false;
override ACTIVATION: u32 = 0u;

struct Params {
  batch_shape: vec4<u32>,
  m: u32,
  n: u32,
  k: u32,
  batches: u32,
  a_repeats: u32,
  b_repeats: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<AElem>;
@group(0) @binding(2) var<storage, read> b: array<BElem>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> residual: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let M = params.m;
  let N = params.n;
  let K = params.k;
  let i = (group.y * groups.x + group.x) * 64u + local;
  if (i >= params.batches * M * N) {
    return;
  }
  let n = i % N;
  let m = (i / N) % M;
  let matrix = i / (N * M);

  // Where a[m,0] and b[0,n] lie, and how far apart their neighbours along k are.
  var a_at = operand_matrix(matrix, params.batch_shape, params.a_repeats) * M * K;
  var b_at = operand_matrix(matrix, params.batch_shape, params.b_repeats) * K * N;
  a_at += select(m * K, m, TRANSPOSE_A);
  b_at += select(n, n * K, TRANSPOSE_B);
  let a_step = select(1u, M, TRANSPOSE_A);
  let b_step = select(N, 1u, TRANSPOSE_B);

  var sum = 0.0;
  for (var k = 0u; k < K; k++) {
    sum += f32(a[a_at + k * a_step]) * f32(b[b_at + k * b_step]);
  }
  if (HAS_BIAS) {
    sum += bias[n];
  }
  if (HAS_RESIDUAL) {
    sum += residual[i];
  }
  y[i] = activate(sum, ACTIVATION);
}
