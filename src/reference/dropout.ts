/**
 * Inverted dropout: y = x · mask / (1 − rate), dx = dy · mask / (1 − rate).
 *
 * The mask of zeros and ones is an input here, so that the rule can be checked apart from the random numbers; where the
 * mask comes from is philox.ts, `dropoutMask`. With `training: false` y = x.
 */
import { fillOutput, need } from './lib/arrays.js';
import type { RefArray, Reference, RefInputs, RefOutput } from './types.js';

/** Default: training true. */
export type DropoutReferenceOptions = { rate: number; training?: boolean };

/** The rule is linear and its own gradient. */
function drop(values: RefArray, inputs: RefInputs, options: DropoutReferenceOptions): RefOutput {
  const { rate, training = true } = options;
  if (!training) return fillOutput(values.shape, (flat) => ({ value: values.data[flat] }));
  const mask = need(inputs, 'mask');
  return fillOutput(values.shape, (flat) => ({
    value: (values.data[flat] * mask.data[flat]) / (1 - rate),
  }));
}

export const dropoutReference: Reference<DropoutReferenceOptions> = {
  forward: (inputs, options) => ({ y: drop(need(inputs, 'x'), inputs, options) }),
  backward: (inputs, options, dy) => ({ x: drop(dy, inputs, options) }),
};
