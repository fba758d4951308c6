/**
 * Batch normalisation over all axes but the last (arXiv:1502.03167), with optional residual and activation:
 *
 *     x̂ = (x − mean) · rstd,   rstd = 1 / √(variance + epsilon),   y = f(gamma · x̂ + beta + residual)
 *
 * Training takes mean and (biased) variance from the batch of n values per channel and reports
 *
 *     runningMean     ← (1 − momentum) · runningMean + momentum · mean
 *     runningVariance ← (1 − momentum) · runningVariance + momentum · variance · n / (n − 1)
 *
 * otherwise the running values are used and stay. With dz = dy · f′(z):
 *
 *     dresidual = dz,   dbeta = Σ dz,   dgamma = Σ dz · x̂
 *     dx = gamma · rstd · (dz − dbeta / n − x̂ · dgamma / n)     training: the batch statistics move with x
 *     dx = gamma · rstd · dz                                    otherwise
 */
import { activate, gradientBeforeActivation } from './lib/activation.js';
import { Accumulator, fillOutput, need } from './lib/arrays.js';
import type { Activation } from './lib/scalar_functions.js';
import type { RefArray, Reference, RefInputs, RefOutput } from './types.js';

/** Defaults: training false, momentum 0.1, epsilon 1e-5, no activation. */
export type BatchNormReferenceOptions = {
  training?: boolean;
  momentum?: number;
  epsilon?: number;
  activation?: Activation;
};

/** Statistics of one channel; the magnitudes are of mean, and of variance relative to variance + epsilon. */
interface Channel {
  mean: number;
  variance: number;
  rstd: number;
  meanMagnitude: number;
  varianceMagnitude: number;
}

function channelStatistics(values: Float64Array): { mean: number; variance: number } {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  return { mean, variance };
}

/** What both directions need: statistics, x̂ with its magnitude, and z = gamma · x̂ + beta + residual. */
function normalize(inputs: RefInputs, options: BatchNormReferenceOptions) {
  const { training = false, epsilon = 1e-5 } = options;
  const [x, gamma, beta] = ['x', 'gamma', 'beta'].map((name) => need(inputs, name));
  const C = gamma.data.length;
  const n = x.data.length / C;

  const channels = Array.from({ length: C }, (_, c): Channel => {
    const values = x.data.filter((_value, flat) => flat % C === c);
    const { mean, variance } = training
      ? channelStatistics(values)
      : {
          mean: need(inputs, 'runningMean').data[c],
          variance: need(inputs, 'runningVariance').data[c],
        };
    const spread = values.reduce(
      (sum, v) => sum + Math.abs(v - mean) * (Math.abs(v) + Math.abs(mean)),
      0,
    );
    return {
      mean,
      variance,
      rstd: 1 / Math.sqrt(variance + epsilon),
      meanMagnitude: training
        ? values.reduce((sum, v) => sum + Math.abs(v), 0) / n
        : Math.abs(mean),
      varianceMagnitude: training ? spread / n / (variance + epsilon) : 1,
    };
  });

  const terms = training ? n : 1;
  const normalized = fillOutput(
    x.shape,
    (flat) => {
      const { mean, rstd, meanMagnitude, varianceMagnitude } = channels[flat % C];
      const value = (x.data[flat] - mean) * rstd;
      const magnitude =
        rstd * (Math.abs(x.data[flat]) + meanMagnitude) + Math.abs(value) * varianceMagnitude;
      return { value, magnitude };
    },
    terms,
  );
  const z = fillOutput(
    x.shape,
    (flat) => {
      const [g, b, r] = [
        gamma.data[flat % C],
        beta.data[flat % C],
        inputs.residual?.data[flat] ?? 0,
      ];
      return {
        value: g * normalized.data[flat] + b + r,
        magnitude: Math.abs(g) * normalized.magnitude[flat] + Math.abs(b) + Math.abs(r),
      };
    },
    terms,
  );
  return { x, gamma, C, n, terms, channels, normalized, z };
}

/** (1 − momentum) · old + momentum · of the batch. */
function blend(old: RefArray, batch: number[], magnitudes: number[], momentum: number, n: number) {
  return fillOutput(
    old.shape,
    (c) => ({
      value: (1 - momentum) * old.data[c] + momentum * batch[c],
      magnitude: (1 - momentum) * Math.abs(old.data[c]) + momentum * magnitudes[c],
    }),
    n,
  );
}

export const batchNormReference: Reference<BatchNormReferenceOptions> = {
  forward(inputs, options) {
    const { z, n, channels } = normalize(inputs, options);
    const y = activate(z, options.activation);
    if (!options.training) return { y };
    const { momentum = 0.1, epsilon = 1e-5 } = options;
    const unbiased = n / (n - 1);
    return {
      y,
      extra: {
        runningMean: blend(
          need(inputs, 'runningMean'),
          channels.map(({ mean }) => mean),
          channels.map(({ meanMagnitude }) => meanMagnitude),
          momentum,
          n,
        ),
        runningVariance: blend(
          need(inputs, 'runningVariance'),
          channels.map(({ variance }) => variance * unbiased),
          channels.map((c) => c.varianceMagnitude * (c.variance + epsilon) * unbiased),
          momentum,
          n,
        ),
      },
    };
  },

  backward(inputs, options, dy) {
    const { x, gamma, C, n, terms, channels, normalized, z } = normalize(inputs, options);
    const dz = gradientBeforeActivation(z, dy, options.activation);
    const dbeta = new Accumulator(gamma.shape);
    const dgamma = new Accumulator(gamma.shape);
    dz.data.forEach((value, flat) => {
      const xHat = normalized.data[flat];
      dbeta.add(flat % C, value, dz.magnitude[flat]);
      dgamma.add(
        flat % C,
        value * xHat,
        dz.magnitude[flat] * Math.abs(xHat) + Math.abs(value) * normalized.magnitude[flat],
      );
    });

    const dx = fillOutput(
      x.shape,
      (flat) => {
        const c = flat % C;
        const scale = gamma.data[c] * channels[c].rstd;
        const xHat = normalized.data[flat];
        let inner = dz.data[flat];
        let magnitude = dz.magnitude[flat];
        if (options.training) {
          inner -= (dbeta.data[c] + xHat * dgamma.data[c]) / n;
          magnitude +=
            (dbeta.magnitude[c] +
              Math.abs(xHat) * dgamma.magnitude[c] +
              normalized.magnitude[flat] * Math.abs(dgamma.data[c])) /
            n;
        }
        // rstd carries the relative error of the variance
        magnitude += Math.abs(inner) * channels[c].varianceMagnitude;
        return { value: scale * inner, magnitude: Math.abs(scale) * magnitude };
      },
      Math.max(terms, dz.terms),
    );
    const gradients: Record<string, RefOutput> = {
      x: dx,
      gamma: dgamma.finish(terms),
      beta: dbeta.finish(dz.terms),
    };
    if (inputs.residual) gradients.residual = dz;
    return gradients;
  },
};
