import { GradError } from '../errors.js';
import { refillArray } from '../kernels/fill.js';
import { norm, scaleToNorm } from '../kernels/grad_norm.js';
import { Tensor } from '../tensor.js';
import { gatherInto, hasGradient, layOut } from './flat_buffer.js';
import { inRange } from './in_range.js';

/**
 * Scales all gradients by one factor so that their joint norm is at most `maxNorm`. Returns the norm
 * before clipping as a tensor; nothing is read back.
 *
 *     norm = √ Σ g²;   g ← g · min(1, maxNorm / (norm + 1e-6))
 *
 * Call it between `backward()` and `step()`; parameters without a gradient are skipped.
 *
 * **Shapes** any → []. **Cost** 3 FLOP and 12 bytes per gradient element, and a copy. **Errors**
 * GradError if no parameter has a gradient, ShapeError if maxNorm is negative.
 * **Source** Pascanu, Mikolov & Bengio, arXiv:1211.5063, section 3.2.
 *
 * @example
 * const w = device.tensor([0, 0], [2], { requiresGrad: true });
 * w.backward(device.tensor([3, 4]));
 * await optim.clipGradNorm([w], 2.5).item(); // 5, and w.grad is [1.5, 2]
 */
export function clipGradNorm(parameters: Iterable<Tensor>, maxNorm: number): Tensor {
  inRange('clipGradNorm: maxNorm', maxNorm, 0, Infinity);
  const members = [...parameters].filter(hasGradient);
  if (members.length === 0) {
    throw new GradError('clipGradNorm: no parameter has a gradient', 'call backward() before');
  }
  const { runtime } = members[0];
  const layouts = layOut(
    runtime,
    members.map(({ shape }) => shape),
  );
  const flats = layouts.map(({ size, ranges }) => {
    const flat = runtime.alloc([size]);
    refillArray(runtime, flat, 0);
    const moves = ranges.map((range) => ({ parameter: members[range.index], range }));
    gatherInto(runtime, flat, moves);
    return flat;
  });
  const total = norm(runtime, flats);
  for (const flat of flats) {
    scaleToNorm(runtime, flat, total, maxNorm);
    flat.release();
  }
  return Tensor.own(runtime, total);
}
