/**
 * Softmax or its logarithm along one axis.
 *
 *     softmax     y = exp(x) / Σ exp(x);   dx = y · (dy − Σ dy · y)
 *     logSoftmax  y = x − log Σ exp(x);    dx = dy − exp(y) · Σ dy
 */
import { fillOutput, need, sizeOf, splitAtAxis } from './lib/arrays.js';
import { softmaxRow } from './lib/log_softmax.js';
import type { RefArray, Reference, RefInputs, RefOutput } from './types.js';

/** Default: axis −1. */
export type SoftmaxReferenceOptions = { op: 'softmax' | 'logSoftmax'; axis?: number };

/** Calls `visit` with the positions of the elements of each row along the axis. */
function forEachRow(x: RefArray, axis: number, visit: (positions: number[]) => void): void {
  const { outer, length, inner } = splitAtAxis(x.shape, axis);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      visit(Array.from({ length }, (_, k) => (o * length + k) * inner + i));
    }
}

interface Element {
  value: number;
  magnitude: number;
}

/** An output whose rows are computed one at a time; terms is the length of a row. */
function byRows(
  inputs: RefInputs,
  { axis = -1 }: SoftmaxReferenceOptions,
  compute: (positions: number[]) => Element[],
): RefOutput {
  const x = need(inputs, 'x');
  const elements = new Array<Element>(sizeOf(x.shape));
  forEachRow(x, axis, (positions) => {
    compute(positions).forEach((element, k) => (elements[positions[k]] = element));
  });
  return fillOutput(x.shape, (flat) => elements[flat], splitAtAxis(x.shape, axis).length);
}

export const softmaxReference: Reference<SoftmaxReferenceOptions> = {
  forward(inputs, options) {
    const x = need(inputs, 'x');
    const y = byRows(inputs, options, (positions) => {
      const row = softmaxRow(positions.map((at) => x.data[at]));
      return positions.map((_, k) =>
        options.op === 'softmax'
          ? { value: row.probabilities[k], magnitude: row.probabilityMagnitudes[k] }
          : { value: row.logProbabilities[k], magnitude: row.logMagnitudes[k] },
      );
    });
    return { y };
  },

  backward(inputs, options, dy) {
    const x = need(inputs, 'x');
    const dx = byRows(inputs, options, (positions) => {
      const row = softmaxRow(positions.map((at) => x.data[at]));
      const gradients = positions.map((at) => dy.data[at]);
      const weights = options.op === 'softmax' ? row.probabilities : positions.map(() => 1);
      const weightMagnitudes =
        options.op === 'softmax' ? row.probabilityMagnitudes : positions.map(() => 1);
      const sum = gradients.reduce((total, gradient, k) => total + gradient * weights[k], 0);
      const sumMagnitude = gradients.reduce(
        (total, gradient, k) => total + Math.abs(gradient) * weightMagnitudes[k],
        0,
      );
      return gradients.map((gradient, k) => {
        const [p, pMagnitude] = [row.probabilities[k], row.probabilityMagnitudes[k]];
        const size = Math.abs(gradient);
        return options.op === 'softmax'
          ? {
              value: p * (gradient - sum),
              magnitude: p * (size + sumMagnitude) + pMagnitude * Math.abs(gradient - sum),
            }
          : {
              value: gradient - p * sum,
              magnitude: size + p * sumMagnitude + pMagnitude * Math.abs(sum),
            };
      });
    });
    return { x: dx };
  },
};
