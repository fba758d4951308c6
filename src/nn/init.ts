import type { Device } from '../device.js';
import { ShapeError } from '../errors.js';
import { randomArray, type RandomRule } from '../kernels/random.js';
import { Tensor } from '../tensor.js';

/** Number of inputs that each output sums, and number of outputs that each input reaches. */
export interface Fans {
  fanIn: number;
  fanOut: number;
}

/**
 * Returns the initial values of a parameter; random ones are drawn from the device's stream. `known`
 * gives its fans if the shape does not determine them, as for depthwise filters.
 */
export type Initializer = (device: Device, shape: readonly number[], known?: Fans) => Tensor;

/** Fans of dense weights [in, out], and of filters [R, S, C, K], where the R·S taps multiply them. */
export function fans(shape: readonly number[]): Fans {
  if (shape.length < 2) {
    throw new ShapeError(
      `init: expected weights of 2 or more dimensions, got [${shape.join(', ')}]`,
      'use constant for biases',
    );
  }
  const taps = shape.slice(0, -2).reduce((a, b) => a * b, 1);
  return { fanIn: shape[shape.length - 2] * taps, fanOut: shape[shape.length - 1] * taps };
}

/** Uniform in ±√(6 / (fanIn + fanOut)). Glorot & Bengio, AISTATS 2010, equation 16. */
export function glorotUniform(): Initializer {
  return (device, shape, known) => {
    const { fanIn, fanOut } = known ?? fans(shape);
    const bound = Math.sqrt(6 / (fanIn + fanOut));
    return drawn(device, shape, { kind: 'uniform', low: -bound, high: bound });
  };
}

/** Uniform in ±√(6 / fanIn). He et al., arXiv:1502.01852, section 2.2. */
export function heUniform(): Initializer {
  return (device, shape, known) => {
    const bound = Math.sqrt(6 / (known ?? fans(shape)).fanIn);
    return drawn(device, shape, { kind: 'uniform', low: -bound, high: bound });
  };
}

/**
 * Normal with variance 2 / fan. He et al., arXiv:1502.01852, section 2.2; `fanOut` is the choice
 * of the ResNet authors' later code.
 */
export function heNormal({ mode = 'fanIn' }: { mode?: 'fanIn' | 'fanOut' } = {}): Initializer {
  return (device, shape, known) => {
    const standardDeviation = Math.sqrt(2 / (known ?? fans(shape))[mode]);
    return drawn(device, shape, { kind: 'normal', mean: 0, standardDeviation });
  };
}

/** Normal, redrawn beyond two standard deviations: the spread of what remains is 0.88 of it. */
export function truncatedNormal({ mean = 0, standardDeviation = 0.1 } = {}): Initializer {
  return (device, shape) =>
    drawn(device, shape, { kind: 'truncatedNormal', mean, standardDeviation });
}

/** Normal of a fixed spread, as for a network's last layer. */
export function normal({ mean = 0, standardDeviation = 0.01 } = {}): Initializer {
  return (device, shape) => drawn(device, shape, { kind: 'normal', mean, standardDeviation });
}

/** The same value everywhere. */
export function constant(value: number): Initializer {
  return (device, shape) => device.full(shape, value);
}

function drawn(device: Device, shape: readonly number[], rule: RandomRule): Tensor {
  return Tensor.own(device.runtime, randomArray(device.runtime, shape, rule));
}
