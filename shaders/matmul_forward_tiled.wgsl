// Matmul by tiles in workgroup memory, for any shape.
// Improves matmul_forward_naive: each number is loaded once for a whole tile, and what an invocation
// reads serves ROWS or COLUMNS multiply-adds.
//
// A workgroup computes TILE_M rows and TILE_N columns of y. Step by step along k it copies a TILE_M × TILE_K tile of a
// and a TILE_K × TILE_N tile of b into workgroup memory. An invocation owns ROWS × COLUMNS outputs in registers: rows
// i·TY + ty and columns j·TX + tx, so that neighbouring invocations read and write neighbouring numbers.
//   a        [… M K], or [… K M] where TRANSPOSE_A  read
//   b        [… K N], or [… N K] where TRANSPOSE_B  read
//   bias     [N]                                    read where HAS_BIAS
//   residual [batches M N]                          read where HAS_RESIDUAL; with one slice
//   y        [slices batches M N]                   written
// Grid: ⌈N/TILE_N⌉·⌈M/TILE_M⌉·batches·slices workgroups in this order, columns first, folded into
// x and y. A slice sums params.depth of the K terms, a multiple of TILE_K.
// Tunables: the tile, ROWS and COLUMNS; AElem and BElem, f32 or f16: sums are f32.
// Overrides: TRANSPOSE_A, TRANSPOSE_B; HAS_BIAS, HAS_RESIDUAL; ACTIVATION, a number of
// lib/activation.wgsl.
// Limits: WebGPU's defaults; (TILE_M + TILE_N)·TILE_K·4 bytes of workgroup memory.
// @use lib/batch.wgsl
// @use lib/activation.wgsl

alias AElem = f32; // @tune
alias BElem = f32; // @tune
const TILE_M: u32 = 64u; // @tune
const TILE_N: u32 = 64u; // @tune
const TILE_K: u32 = 16u; // @tune
const ROWS: u32 = 4u; // @tune
const COLUMNS: u32 = 4u; // @tune

const TY: u32 = TILE_M / ROWS;
const TX: u32 = TILE_N / COLUMNS;
const THREADS: u32 = TX * TY;
const_assert TILE_M % ROWS == 0u && TILE_N % COLUMNS == 0u;

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
  depth: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<AElem>;
@group(0) @binding(2) var<storage, read> b: array<BElem>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> residual: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

var<workgroup> a_tile: array<f32, TILE_K * TILE_M>; // [k][m]
var<workgroup> b_tile: array<f32, TILE_K * TILE_N>; // [k][n]

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let M = params.m;
  let N = params.n;
  let K = params.k;
  let column_tiles = (N + TILE_N - 1u) / TILE_N;
  let row_tiles = (M + TILE_M - 1u) / TILE_M;
  let slices = (K + params.depth - 1u) / params.depth;
  let tile = group.y * groups.x + group.x;
  let plane = tile / (column_tiles * row_tiles); // slice and batch
  if (plane >= slices * params.batches) {
    return;
  }
  let matrix = plane % params.batches;
  let a_base = operand_matrix(matrix, params.batch_shape, params.a_repeats) * M * K;
  let b_base = operand_matrix(matrix, params.batch_shape, params.b_repeats) * K * N;
  let m0 = tile / column_tiles % row_tiles * TILE_M;
  let n0 = tile % column_tiles * TILE_N;
  let first = (plane / params.batches) * params.depth;
  let end = min(first + params.depth, K);
  let tx = thread % TX;
  let ty = thread / TX;

  var sum: array<array<f32, COLUMNS>, ROWS>;
  for (var k0 = first; k0 < end; k0 += TILE_K) {
    // Invocations that follow each other read along the operand's last axis.
    for (var e = thread; e < TILE_M * TILE_K; e += THREADS) {
      let i = select(e / TILE_K, e % TILE_M, TRANSPOSE_A);
      let k = select(e % TILE_K, e / TILE_M, TRANSPOSE_A);
      var value = 0.0;
      if (m0 + i < M && k0 + k < end) {
        let at = select((m0 + i) * K + k0 + k, (k0 + k) * M + m0 + i, TRANSPOSE_A);
        value = f32(a[a_base + at]);
      }
      a_tile[k * TILE_M + i] = value;
    }
    for (var e = thread; e < TILE_N * TILE_K; e += THREADS) {
      let j = select(e % TILE_N, e / TILE_K, TRANSPOSE_B);
      let k = select(e / TILE_N, e % TILE_K, TRANSPOSE_B);
      var value = 0.0;
      if (n0 + j < N && k0 + k < end) {
        let at = select((k0 + k) * N + n0 + j, (n0 + j) * K + k0 + k, TRANSPOSE_B);
        value = f32(b[b_base + at]);
      }
      b_tile[k * TILE_N + j] = value;
    }
    workgroupBarrier();
    for (var k = 0u; k < TILE_K; k++) {
      var column: array<f32, COLUMNS>;
      for (var j = 0u; j < COLUMNS; j++) {
        column[j] = b_tile[k * TILE_N + j * TX + tx];
      }
      for (var i = 0u; i < ROWS; i++) {
        let row = a_tile[k * TILE_M + i * TY + ty];
        for (var j = 0u; j < COLUMNS; j++) {
          sum[i][j] = fma(row, column[j], sum[i][j]);
        }
      }
    }
    workgroupBarrier();
  }

  for (var j = 0u; j < COLUMNS; j++) {
    let n = n0 + j * TX + tx;
    if (n >= N) {
      continue;
    }
    var shift = 0.0;
    if (HAS_BIAS) {
      shift = bias[n];
    }
    for (var i = 0u; i < ROWS; i++) {
      let m = m0 + i * TY + ty;
      if (m < M) {
        let to = (plane * M + m) * N + n;
        var z = sum[i][j] + shift;
        if (HAS_RESIDUAL) {
          z += residual[to];
        }
        y[to] = activate(z, ACTIVATION);
      }
    }
  }
}
