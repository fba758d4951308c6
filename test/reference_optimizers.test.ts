/** Each rule against numbers worked out by hand from its formula. */
import { describe, expect, it } from 'vitest';
import {
  adamStep,
  adamWStep,
  clipGradNorm,
  optimizerState,
  rmspropStep,
  sgdStep,
  type OptimizerState,
} from '../src/reference/optimizers.js';

type Step<O> = (p: Float64Array, g: Float64Array, state: OptimizerState, options: O) => void;

/** The parameter after each step, for one number and its gradients. */
function follow<O>(step: Step<O>, options: O, start: number, gradients: number[]): number[] {
  const parameter = Float64Array.of(start);
  const state = optimizerState(1);
  return gradients.map((gradient) => {
    step(parameter, Float64Array.of(gradient), state, options);
    return parameter[0];
  });
}

function expectClose(got: number[], want: number[]): void {
  expect(got.length).toBe(want.length);
  got.forEach((value, i) => expect(value).toBeCloseTo(want[i], 12));
}

describe('sgd', () => {
  it('goes down the gradient', () => {
    expectClose(follow(sgdStep, { lr: 0.1 }, 1, [2, -4]), [0.8, 1.2]);
  });
  it('adds weight decay to the gradient', () => {
    // 1 − 0.1·(2 + 0.5·1)
    expectClose(follow(sgdStep, { lr: 0.1, weightDecay: 0.5 }, 1, [2]), [0.75]);
  });
  it('carries momentum: velocities 1, 1.9, 2.71', () => {
    const got = follow(sgdStep, { lr: 0.1, momentum: 0.9 }, 0, [1, 1, 1]);
    expectClose(got, [-0.1, -0.29, -0.561]);
  });
  it('looks ahead with nesterov: steps 1.9, 2.71, 3.439', () => {
    const got = follow(sgdStep, { lr: 0.1, momentum: 0.9, nesterov: true }, 0, [1, 1, 1]);
    expectClose(got, [-0.19, -0.461, -0.8049]);
  });
});

describe('adam', () => {
  it('steps by lr · g / (|g| + ε) while the gradient stays the same', () => {
    const step = (0.01 * 4) / (4 + 0.5);
    const got = follow(adamStep, { lr: 0.01, epsilon: 0.5 }, 1, [4, 4, 4]);
    expectClose(got, [1 - step, 1 - 2 * step, 1 - 3 * step]);
  });
  it('weighs moments by β₁ and β₂', () => {
    // step 2: m = 0.5·0.5·2 + 0.5·(−1) = 0, v irrelevant: no move
    const got = follow(adamStep, { lr: 0.1, beta1: 0.5, beta2: 0.5, epsilon: 0 }, 1, [2, -1]);
    expectClose(got, [0.9, 0.9]);
    // step 2: m = 1, v = 0.5·2 + 0.5·1 = 1.5; m̂ = 1/0.75, v̂ = 1.5/0.75 = 2
    const other = follow(adamStep, { lr: 0.1, beta1: 0.5, beta2: 0.5, epsilon: 0 }, 1, [2, 1]);
    expectClose(other, [0.9, 0.9 - (0.1 * (1 / 0.75)) / Math.SQRT2]);
  });
  it('keeps the largest second moment with amsgrad', () => {
    // step 1: m = 2, v = 8; step 2: m = 1, v = 4, largest 8; v̂ = 8/0.75
    const options = { lr: 0.1, beta1: 0.5, beta2: 0.5, epsilon: 0, amsgrad: true };
    const got = follow(adamStep, options, 1, [4, 0]);
    expectClose(got, [0.9, 0.9 - (0.1 * (1 / 0.75)) / Math.sqrt(8 / 0.75)]);
  });
  it('treats weight decay as part of the gradient', () => {
    // the gradient is 0 + 0.3·2: sign 1, so the step is lr
    expectClose(follow(adamStep, { lr: 0.1, weightDecay: 0.3, epsilon: 0 }, 2, [0]), [1.9]);
  });
});

describe('adamW', () => {
  it('shrinks the parameter apart from the gradient, by 0.01 unless told', () => {
    expectClose(follow(adamWStep, { lr: 0.1, weightDecay: 0.5 }, 2, [0, 0]), [1.9, 1.805]);
    expectClose(follow(adamWStep, { lr: 0.1 }, 2, [0]), [1.998]);
  });
  it('then steps as Adam does on the bare gradient', () => {
    const got = follow(adamWStep, { lr: 0.1, weightDecay: 0.5, epsilon: 0 }, 2, [3]);
    expectClose(got, [2 * 0.95 - 0.1]);
  });
});

describe('rmsprop', () => {
  it('divides by the root of the mean square', () => {
    // v = 0.75·4 = 3 after step 1, 0.25·3 + 0.75·4 = 3.75 after step 2
    const got = follow(rmspropStep, { lr: 0.1, alpha: 0.25, epsilon: 0 }, 0, [2, 2]);
    const first = -0.2 / Math.sqrt(3);
    expectClose(got, [first, first - 0.2 / Math.sqrt(3.75)]);
  });
  it('starts at ten times the sign with alpha 0.99', () => {
    expect(follow(rmspropStep, { lr: 0.1 }, 0, [2])[0]).toBeCloseTo(-1, 6);
  });
  it('adds ε to the root, not under it', () => {
    expectClose(follow(rmspropStep, { lr: 0.1, alpha: 0, epsilon: 2 }, 0, [2]), [-0.05]);
  });
  it('carries momentum and weight decay', () => {
    // alpha 0: every quotient is the sign of the gradient; buffers 1, 1.5
    const got = follow(rmspropStep, { lr: 0.1, alpha: 0, epsilon: 0, momentum: 0.5 }, 0, [2, 7]);
    expectClose(got, [-0.1, -0.25]);
    const decayed = { lr: 0.1, alpha: 0, epsilon: 0, weightDecay: 1 };
    expectClose(follow(rmspropStep, decayed, 3, [-1]), [2.9]);
  });
});

describe('clipGradNorm', () => {
  it('scales all gradients to the norm asked for and returns the old one', () => {
    const gradients = [Float64Array.of(3, 0), Float64Array.of(4)];
    expect(clipGradNorm(gradients, 1)).toBe(5);
    expect(gradients[0][0]).toBeCloseTo(0.6, 6);
    expect(gradients[1][0]).toBeCloseTo(0.8, 6);
  });
  it('leaves short gradients alone', () => {
    const gradients = [Float64Array.of(0.3, 0.4)];
    expect(clipGradNorm(gradients, 1)).toBeCloseTo(0.5, 12);
    expect([...gradients[0]]).toEqual([0.3, 0.4]);
  });
});
