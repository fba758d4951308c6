/** Camera noise for the drawn data sets. */
import type { RandomStream } from '../random.js';

/** 256 equally likely values of a normal distribution of mean 0 and deviation 1: its quantiles. */
const NORMAL = Float64Array.from({ length: 256 }, (_, index) =>
  normalQuantile((index + 0.5) / 256),
);

/** Inverse of the normal distribution function, by bisection. */
function normalQuantile(probability: number): number {
  let low = -5;
  let high = 5;
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Share of a normal distribution below x: the integral of its density, by the midpoint rule. */
function normalShare(x: number): number {
  const steps = 200;
  let sum = 0;
  for (let i = 0; i < steps; i++) {
    const at = ((i + 0.5) / steps) * x;
    sum += Math.exp((-at * at) / 2);
  }
  return 0.5 + ((sum / steps) * x) / Math.sqrt(2 * Math.PI);
}

/** Adds normal noise of the given deviation (in levels of 0..255) to every byte, in place. */
export function addNoise(image: Uint8Array, deviation: number, random: RandomStream): void {
  if (deviation <= 0) return;
  let word = 0;
  for (let i = 0; i < image.length; i++) {
    // One random word is enough for four bytes: a quarter of the generator's work.
    if (i % 4 === 0) word = random.next();
    const value = image[i] + deviation * NORMAL[(word >>> (8 * (i % 4))) & 255];
    image[i] = Math.max(0, Math.min(255, Math.round(value)));
  }
}
