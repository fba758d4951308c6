// A product of matrices in registers, as matmul_forward_subgroup8 explains it. The file that uses this declares
// TM, the rows of a workgroup, ACTIVATION, and workgroups of 8 lanes, one subgroup each; it enables
// subgroups, requires unrestricted_pointer_parameters, and uses lib/batch and lib/activation.

struct Product {
  batch_shape: vec4<u32>,
  m: u32,
  n: u32,
  k: u32,
  batches: u32,
  a_repeats: u32,
  b_repeats: u32,
  depth: u32,
  transpose_a: u32,
  transpose_b: u32,
  added: u32, // 1: bias, 2: residual, 3: both
  clamp_range: vec2<f32>,
}

/// Computes tile number `tile` of y, in the order ⌈N/32⌉·⌈M/TM⌉·batches·slices, columns first; none where
/// there are fewer.
fn product_tile(
  tile: u32,
  lane: u32,
  params: Product,
  a: ptr<storage, array<f32>, read>,
  b: ptr<storage, array<vec4<f32>>, read>,
  bias: ptr<storage, array<vec4<f32>>, read>,
  residual: ptr<storage, array<vec4<f32>>, read>,
  y: ptr<storage, array<vec4<f32>>, read_write>,
) {
  let M = params.m;
  let K = params.k;
  let N4 = params.n / 4u;
  let column_tiles = (N4 + 7u) / 8u;
  let row_tiles = (M + TM - 1u) / TM;
  let slices = (K + params.depth - 1u) / params.depth;
  let plane = tile / (column_tiles * row_tiles); // slice and batch
  if (plane >= slices * params.batches) {
    return;
  }
  let is_a_transposed = params.transpose_a != 0u;
  let is_b_transposed = params.transpose_b != 0u;

  let matrix = plane % params.batches;
  let a_base = operand_matrix(matrix, params.batch_shape, params.a_repeats) * M * K;
  let b_base = operand_matrix(matrix, params.batch_shape, params.b_repeats) * K * N4;
  let m0 = tile / column_tiles % row_tiles * TM;
  let owned = tile % column_tiles * 8u + lane;
  // Lanes past the last column repeat it: they must stay, since they hold numbers of a.
  let n = min(owned, N4 - 1u);
  let first = (plane / params.batches) * params.depth;
  let end = min(first + params.depth, K);
  // Between neighbours of a along m and along k.
  let a_row = select(K, 1u, is_a_transposed);
  let a_step = select(1u, M, is_a_transposed);

  var sum: array<vec4<f32>, TM>;
  for (var k = first; k < end; k += 8u) {
    var row: array<f32, TM>; // one k a lane, 0 past the end
    // Selected, not branched over: llvmpipe 25.0.7 shuffles garbage out of lanes that a branch left.
    let is_inside = k + lane < end;
    let at = a_base + min(k + lane, end - 1u) * a_step;
    for (var i = 0u; i < TM; i++) {
      row[i] = select(0.0, a[at + min(m0 + i, M - 1u) * a_row], is_inside);
    }
    for (var j = 0u; j < 8u; j += 4u) {
      var b0: vec4<f32>;
      var b1: vec4<f32>;
      var b2: vec4<f32>;
      var b3: vec4<f32>;
      // Terms past the end meet a row of zeros; their b must only be a number that exists.
      if (is_b_transposed) {
        let at = b_base + n * K + min(k + j, K - 4u) / 4u;
        let c0 = b[at];
        let c1 = b[at + K / 4u];
        let c2 = b[at + 2u * (K / 4u)];
        let c3 = b[at + 3u * (K / 4u)];
        b0 = vec4<f32>(c0.x, c1.x, c2.x, c3.x);
        b1 = vec4<f32>(c0.y, c1.y, c2.y, c3.y);
        b2 = vec4<f32>(c0.z, c1.z, c2.z, c3.z);
        b3 = vec4<f32>(c0.w, c1.w, c2.w, c3.w);
      } else {
        b0 = b[b_base + min(k + j, K - 1u) * N4 + n];
        b1 = b[b_base + min(k + j + 1u, K - 1u) * N4 + n];
        b2 = b[b_base + min(k + j + 2u, K - 1u) * N4 + n];
        b3 = b[b_base + min(k + j + 3u, K - 1u) * N4 + n];
      }
      for (var i = 0u; i < TM; i++) {
        sum[i] = fma(vec4<f32>(subgroupShuffle(row[i], j)), b0, sum[i]);
        sum[i] = fma(vec4<f32>(subgroupShuffle(row[i], j + 1u)), b1, sum[i]);
        sum[i] = fma(vec4<f32>(subgroupShuffle(row[i], j + 2u)), b2, sum[i]);
        sum[i] = fma(vec4<f32>(subgroupShuffle(row[i], j + 3u)), b3, sum[i]);
      }
    }
  }

  if (owned >= N4) {
    return;
  }
  var shift = vec4<f32>();
  if ((params.added & 1u) != 0u) {
    shift = bias[n];
  }
  // Not unrolled: with 24 masked stores in a row llvmpipe takes three times as long to compile.
  var results = sum;
  let rows = min(TM, M - m0);
  for (var i = 0u; i < rows; i++) {
    let to = (plane * M + m0 + i) * N4 + n;
    var z = results[i] + shift;
    if ((params.added & 2u) != 0u) {
      z += residual[to];
    }
    y[to] = finish(z, params.clamp_range);
  }
}

fn finish(z: vec4<f32>, clamp_range: vec2<f32>) -> vec4<f32> {
  if (ACTIVATION != 0u) {
    return vec4<f32>(
      activate(z.x, ACTIVATION),
      activate(z.y, ACTIVATION),
      activate(z.z, ACTIVATION),
      activate(z.w, ACTIVATION),
    );
  }
  let low = clamp_range.x;
  let high = clamp_range.y;
  if (low > high) {
    return z;
  }
  // clamp may swallow a NaN, which training must see.
  let is_nan = (bitcast<vec4<u32>>(z) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
  return select(clamp(z, vec4<f32>(low), vec4<f32>(high)), z, is_nan);
}
