/**
 * Matmul of a[…, M, K] and b[…, K, N]; leading axes broadcast as in NumPy.
 *
 *     y[…,m,n] = Σ_k a[…,m,k] · b[…,k,n]
 *
 * `transposeA` and `transposeB` read the last two axes of that operand swapped.
 */
import { need, sizeOf } from './lib/arrays.js';
import { bilinearBackward, bilinearForward, type Bilinear } from './lib/bilinear.js';
import { broadcastIndices, broadcastShapes } from './lib/broadcast.js';
import type { Reference, RefInputs } from './types.js';

export type MatmulReferenceOptions = { transposeA?: boolean; transposeB?: boolean };

function describe(inputs: RefInputs, options: MatmulReferenceOptions): Bilinear {
  const a = need(inputs, 'a');
  const b = need(inputs, 'b');
  const [aRows, aColumns] = a.shape.slice(-2);
  const [bRows, bColumns] = b.shape.slice(-2);
  const [M, K] = options.transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const N = options.transposeB ? bRows : bColumns;
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const aBatch = broadcastIndices(a.shape.slice(0, -2), batch);
  const bBatch = broadcastIndices(b.shape.slice(0, -2), batch);

  return {
    x: a,
    w: b,
    yShape: [...batch, M, N],
    forEachProduct(visit) {
      for (let i = 0; i < sizeOf(batch); i++)
        for (let m = 0; m < M; m++)
          for (let n = 0; n < N; n++)
            for (let k = 0; k < K; k++) {
              const aAt = options.transposeA ? k * M + m : m * K + k;
              const bAt = options.transposeB ? n * K + k : k * N + n;
              visit(aBatch[i] * M * K + aAt, bBatch[i] * K * N + bAt, (i * M + m) * N + n);
            }
    },
  };
}

export const matmulReference: Reference<MatmulReferenceOptions> = {
  forward: (inputs, options) => ({ y: bilinearForward(describe(inputs, options)) }),
  backward(inputs, options, dy) {
    const { dx, dw } = bilinearBackward(describe(inputs, options), dy);
    return { a: dx, b: dw };
  },
};
