/**
 * Squared error: (prediction − target)² per element, then the mean, the sum or none.
 *
 *     dprediction = dy · 2 · (prediction − target),   dtarget = −dprediction        ('mean' divides dy by the count)
 */
import { fillOutput, need } from './lib/arrays.js';
import { lossGradient, reduceLoss, type Reduction } from './lib/reduction.js';
import type { Reference } from './types.js';

/** Default: reduction 'mean'. */
export type MseLossReferenceOptions = { reduction?: Reduction };

export const mseLossReference: Reference<MseLossReferenceOptions> = {
  forward(inputs, { reduction }) {
    const [prediction, target] = [need(inputs, 'prediction'), need(inputs, 'target')];
    const losses = fillOutput(prediction.shape, (flat) => ({
      value: (prediction.data[flat] - target.data[flat]) ** 2,
    }));
    return { y: reduceLoss(losses, reduction) };
  },
  backward(inputs, { reduction }, dy) {
    const [prediction, target] = [need(inputs, 'prediction'), need(inputs, 'target')];
    const gradient = lossGradient(dy, prediction.data.length, reduction);
    const towards = (sign: number) =>
      fillOutput(prediction.shape, (flat) => ({
        value: sign * 2 * gradient[flat] * (prediction.data[flat] - target.data[flat]),
      }));
    return { prediction: towards(1), target: towards(-1) };
  },
};
