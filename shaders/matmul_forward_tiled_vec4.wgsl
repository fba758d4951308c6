// Matmul by tiles in workgroup memory, four numbers at a time, for real GPUs.
// Improves matmul_forward_tiled: loads and stores are vec4, and so are the reads of workgroup memory.
//
// A workgroup computes TILE_M rows and TILE_N columns of y. Step by step along k it copies a
// TILE_M × TILE_K piece of a and a TILE_K × TILE_N piece of b into workgroup memory, each number
// once for all invocations. An invocation owns ROWS × COLUMNS outputs in registers: rows
// (g·TY + ty)·4 + 0…3 and columns (h·TX + tx)·4 + 0…3, so that neighbouring invocations read
// neighbouring vectors. Each number it reads serves ROWS or COLUMNS multiply-adds.
//   a        [… M K], or [… K M] where TRANSPOSE_A  read, as vec4; the last axis a multiple of 4
//   b        [… K N], or [… N K] where TRANSPOSE_B  read, as vec4; the last axis a multiple of 4
//   bias     [N]                                    read where HAS_BIAS
//   residual [batches M N]                          read where HAS_RESIDUAL, as vec4; with one slice
//   y        [slices batches M N]                   written, as vec4; N a multiple of 4
// Both pieces lie in workgroup memory with k outermost. An operand whose last axis is k is loaded in
// blocks of 4 × 4 that are turned in registers.
// Grid: ⌈N/TILE_N⌉·⌈M/TILE_M⌉·batches·slices workgroups in this order, columns first, folded into
// x and y. A slice sums params.depth of the K terms, a multiple of TILE_K.
// Tunables: the tile, ROWS and COLUMNS (multiples of 4); AElem and BElem, f32 or f16: sums are f32.
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
const ROWS: u32 = 8u; // @tune
const COLUMNS: u32 = 4u; // @tune

const TY: u32 = TILE_M / ROWS;
const TX: u32 = TILE_N / COLUMNS;
const THREADS: u32 = TX * TY;
const M4: u32 = TILE_M / 4u;
const N4: u32 = TILE_N / 4u;
const K4: u32 = TILE_K / 4u;
const A_BLOCKS: u32 = M4 * K4;
const B_BLOCKS: u32 = N4 * K4;
const ROW_VECTORS: u32 = ROWS / 4u;
const COLUMN_VECTORS: u32 = COLUMNS / 4u;
const_assert TILE_M % ROWS == 0u && TILE_N % COLUMNS == 0u && TILE_K % 4u == 0u;
const_assert ROWS % 4u == 0u && COLUMNS % 4u == 0u;

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
@group(0) @binding(1) var<storage, read> a: array<vec4<AElem>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<BElem>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> residual: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;

var<workgroup> a_tile: array<vec4<f32>, TILE_K * M4>; // [k][m/4]
var<workgroup> b_tile: array<vec4<f32>, TILE_K * N4>; // [k][n/4]

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
  let a_base = operand_matrix(matrix, params.batch_shape, params.a_repeats) * (M * K / 4u);
  let b_base = operand_matrix(matrix, params.batch_shape, params.b_repeats) * (K * N / 4u);
  let m0 = tile / column_tiles % row_tiles * TILE_M;
  let n0 = tile % column_tiles * TILE_N;
  let first = (plane / params.batches) * params.depth;
  let end = min(first + params.depth, K);
  let tx = thread % TX;
  let ty = thread / TX;

  var sum: array<array<vec4<f32>, COLUMN_VECTORS>, ROWS>;
  for (var k0 = first; k0 < end; k0 += TILE_K) {
    for (var block = thread; block < A_BLOCKS + B_BLOCKS; block += THREADS) {
      if (block < A_BLOCKS) {
        load_a(block, a_base, m0, k0, end);
      } else {
        load_b(block - A_BLOCKS, b_base, n0, k0, end);
      }
    }
    workgroupBarrier();
    for (var k = 0u; k < TILE_K; k++) {
      var column: array<vec4<f32>, COLUMN_VECTORS>;
      for (var h = 0u; h < COLUMN_VECTORS; h++) {
        column[h] = b_tile[k * N4 + h * TX + tx];
      }
      for (var g = 0u; g < ROW_VECTORS; g++) {
        let row = a_tile[k * M4 + g * TY + ty];
        for (var h = 0u; h < COLUMN_VECTORS; h++) {
          sum[4u * g][h] = fma(vec4<f32>(row.x), column[h], sum[4u * g][h]);
          sum[4u * g + 1u][h] = fma(vec4<f32>(row.y), column[h], sum[4u * g + 1u][h]);
          sum[4u * g + 2u][h] = fma(vec4<f32>(row.z), column[h], sum[4u * g + 2u][h]);
          sum[4u * g + 3u][h] = fma(vec4<f32>(row.w), column[h], sum[4u * g + 3u][h]);
        }
      }
    }
    workgroupBarrier();
  }

  for (var h = 0u; h < COLUMN_VECTORS; h++) {
    let n = n0 + (h * TX + tx) * 4u;
    if (n >= N) {
      continue;
    }
    var shift = vec4<f32>();
    if (HAS_BIAS) {
      shift = bias[n / 4u];
    }
    for (var i = 0u; i < ROWS; i++) {
      let m = m0 + ((i / 4u) * TY + ty) * 4u + i % 4u;
      if (m < M) {
        let to = ((plane * M + m) * N + n) / 4u;
        var z = sum[i][h] + shift;
        if (HAS_RESIDUAL) {
          z += residual[to];
        }
        y[to] = finish(z);
      }
    }
  }
}

// Copies one 4 × 4 block of a. Invocations that follow each other read along a's last axis.
fn load_a(block: u32, base: u32, m0: u32, k0: u32, end: u32) {
  let m4 = select(block / K4, block % M4, TRANSPOSE_A);
  let k4 = select(block % K4, block / M4, TRANSPOSE_A);
  let m = m0 + 4u * m4;
  let k = k0 + 4u * k4;
  var v: array<vec4<f32>, 4>;
  for (var i = 0u; i < 4u; i++) {
    if (TRANSPOSE_A) {
      if (k + i < end && m < params.m) {
        v[i] = vec4<f32>(a[base + ((k + i) * params.m + m) / 4u]);
      }
    } else if (m + i < params.m && k < end) {
      v[i] = vec4<f32>(a[base + ((m + i) * params.k + k) / 4u]);
    }
  }
  let at = 4u * k4 * M4 + m4;
  if (TRANSPOSE_A) {
    a_tile[at] = v[0];
    a_tile[at + M4] = v[1];
    a_tile[at + 2u * M4] = v[2];
    a_tile[at + 3u * M4] = v[3];
  } else {
    a_tile[at] = vec4<f32>(v[0].x, v[1].x, v[2].x, v[3].x);
    a_tile[at + M4] = vec4<f32>(v[0].y, v[1].y, v[2].y, v[3].y);
    a_tile[at + 2u * M4] = vec4<f32>(v[0].z, v[1].z, v[2].z, v[3].z);
    a_tile[at + 3u * M4] = vec4<f32>(v[0].w, v[1].w, v[2].w, v[3].w);
  }
}

// The same for b, which is turned where it is stored transposed.
fn load_b(block: u32, base: u32, n0: u32, k0: u32, end: u32) {
  let n4 = select(block % N4, block / K4, TRANSPOSE_B);
  let k4 = select(block / N4, block % K4, TRANSPOSE_B);
  let n = n0 + 4u * n4;
  let k = k0 + 4u * k4;
  var v: array<vec4<f32>, 4>;
  for (var i = 0u; i < 4u; i++) {
    if (TRANSPOSE_B) {
      if (n + i < params.n && k < end) {
        v[i] = vec4<f32>(b[base + ((n + i) * params.k + k) / 4u]);
      }
    } else if (k + i < end && n < params.n) {
      v[i] = vec4<f32>(b[base + ((k + i) * params.n + n) / 4u]);
    }
  }
  let at = 4u * k4 * N4 + n4;
  if (TRANSPOSE_B) {
    b_tile[at] = vec4<f32>(v[0].x, v[1].x, v[2].x, v[3].x);
    b_tile[at + N4] = vec4<f32>(v[0].y, v[1].y, v[2].y, v[3].y);
    b_tile[at + 2u * N4] = vec4<f32>(v[0].z, v[1].z, v[2].z, v[3].z);
    b_tile[at + 3u * N4] = vec4<f32>(v[0].w, v[1].w, v[2].w, v[3].w);
  } else {
    b_tile[at] = v[0];
    b_tile[at + N4] = v[1];
    b_tile[at + 2u * N4] = v[2];
    b_tile[at + 3u * N4] = v[3];
  }
}

fn finish(z: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(
    activate(z.x, ACTIVATION),
    activate(z.y, ACTIVATION),
    activate(z.z, ACTIVATION),
    activate(z.w, ACTIVATION),
  );
}
