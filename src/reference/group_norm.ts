/**
 * Normalisation of groups: x is seen as [O, M, G, D], and each of the O·G groups has the statistics of its L = M·D values.
 *
 *     groupNorm: O = N, M the pixels, G = groups, D = C / groups      instanceNorm: the same with G = C
 *     layerNorm: O the rows, M = G = 1, D all values from `axis` on
 *
 *     y = gamma[c] · x̂ + beta[c],   x̂ = (x − mean) · rstd,   rstd = 1 / √(variance + epsilon),   c = g·D + d
 *     dgamma = Σ dy · x̂,   dbeta = Σ dy,   dx = rstd · (g − Σ g / L − x̂ · Σ g·x̂ / L) with g = dy · gamma
 */
import { Accumulator, fillOutput, need, normalizeAxis, sizeOf } from './lib/arrays.js';
import type { RefArray, Reference, RefInputs } from './types.js';

/** Default: epsilon 1e-5; of layerNorm: axis −1. gamma is 1 and beta 0 if absent. */
export type GroupNormReferenceOptions = {
  op: 'groupNorm' | 'layerNorm' | 'instanceNorm';
  groups?: number;
  axis?: number;
  epsilon?: number;
};

function viewOf(x: RefArray, { op, groups, axis = -1 }: GroupNormReferenceOptions) {
  const size = x.data.length;
  if (op === 'layerNorm') {
    const D = sizeOf(x.shape.slice(normalizeAxis(axis, x.shape.length)));
    return { O: size / D, M: 1, G: 1, D };
  }
  const [O] = x.shape;
  const C = x.shape[x.shape.length - 1];
  const G = op === 'instanceNorm' ? C : groups!;
  return { O, M: size / O / C, G, D: C / G };
}

function describe(inputs: RefInputs, options: GroupNormReferenceOptions) {
  const x = need(inputs, 'x');
  const { O, M, G, D } = viewOf(x, options);
  const L = M * D;
  const epsilon = options.epsilon ?? 1e-5;
  const factorOf = (flat: number) => flat % (G * D);
  const groupOf = (flat: number) =>
    Math.floor(flat / (M * G * D)) * G + Math.floor(factorOf(flat) / D);

  const members = Array.from({ length: O * G }, (): number[] => []);
  for (let flat = 0; flat < x.data.length; flat++) members[groupOf(flat)].push(flat);
  const statistics = members.map((places) => {
    const mean = places.reduce((sum, at) => sum + x.data[at], 0) / L;
    const variance = places.reduce((sum, at) => sum + (x.data[at] - mean) ** 2, 0) / L;
    // how far mean, and variance relative to variance + epsilon, are off by roundings
    const meanMagnitude = places.reduce((sum, at) => sum + Math.abs(x.data[at]), 0) / L;
    const spread = places.reduce(
      (sum, at) => sum + Math.abs(x.data[at] - mean) * (Math.abs(x.data[at]) + Math.abs(mean)),
      0,
    );
    const rstd = 1 / Math.sqrt(variance + epsilon);
    return { mean, rstd, meanMagnitude, varianceMagnitude: spread / L / (variance + epsilon) };
  });
  const normalized = fillOutput(
    x.shape,
    (flat) => {
      const { mean, rstd, meanMagnitude, varianceMagnitude } = statistics[groupOf(flat)];
      const value = (x.data[flat] - mean) * rstd;
      const error = rstd * (Math.abs(x.data[flat]) + meanMagnitude);
      return { value, magnitude: error + Math.abs(value) * (1 + varianceMagnitude) };
    },
    L,
  );
  return { x, L, factorOf, groupOf, members, statistics, normalized };
}

export const groupNormReference: Reference<GroupNormReferenceOptions> = {
  forward(inputs, options) {
    const { x, L, factorOf, normalized } = describe(inputs, options);
    const y = fillOutput(
      x.shape,
      (flat) => {
        const gamma = inputs.gamma?.data[factorOf(flat)] ?? 1;
        const beta = inputs.beta?.data[factorOf(flat)] ?? 0;
        return {
          value: gamma * normalized.data[flat] + beta,
          magnitude: Math.abs(gamma) * normalized.magnitude[flat] + Math.abs(beta),
        };
      },
      L,
    );
    return { y };
  },

  backward(inputs, options, dy) {
    const { x, L, factorOf, groupOf, members, statistics, normalized } = describe(inputs, options);
    const g = dy.data.map((value, flat) => value * (inputs.gamma?.data[factorOf(flat)] ?? 1));
    const sums = new Accumulator([members.length]);
    const products = new Accumulator([members.length]);
    g.forEach((value, flat) => {
      const group = groupOf(flat);
      sums.add(group, value);
      products.add(
        group,
        value * normalized.data[flat],
        Math.abs(value) * (Math.abs(normalized.data[flat]) + normalized.magnitude[flat]),
      );
    });
    const dx = fillOutput(
      x.shape,
      (flat) => {
        const group = groupOf(flat);
        const { rstd, varianceMagnitude } = statistics[group];
        const [xHat, xHatMagnitude] = [normalized.data[flat], normalized.magnitude[flat]];
        const inner = g[flat] - (sums.data[group] + xHat * products.data[group]) / L;
        const magnitude =
          Math.abs(g[flat]) +
          (sums.magnitude[group] +
            Math.abs(xHat) * products.magnitude[group] +
            xHatMagnitude * Math.abs(products.data[group])) /
            L;
        // rstd carries the relative error of the variance
        return {
          value: rstd * inner,
          magnitude: rstd * (magnitude + Math.abs(inner) * (1 + varianceMagnitude)),
        };
      },
      L,
    );
    return { x: dx, ...factorGradients() };

    function factorGradients() {
      const { gamma, beta } = inputs;
      const dgamma = new Accumulator(gamma?.shape ?? []);
      const dbeta = new Accumulator(beta?.shape ?? []);
      dy.data.forEach((value, flat) => {
        const [c, xHat] = [factorOf(flat), normalized.data[flat]];
        const magnitude = Math.abs(value) * (Math.abs(xHat) + normalized.magnitude[flat]);
        if (gamma) dgamma.add(c, value * xHat, magnitude);
        if (beta) dbeta.add(c, value);
      });
      return {
        ...(gamma ? { gamma: dgamma.finish(L) } : {}),
        ...(beta ? { beta: dbeta.finish() } : {}),
      };
    }
  },
};
