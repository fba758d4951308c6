/**
 * Seeded test data. Every value is a float32, so the reference and the GPU see the same numbers. The generator is a
 * plain 32-bit mixer of its own: tests of the random kernels must not draw their data from them.
 */
import type { Fill, InputSpec, OpCase } from '../cases/types.js';

/** Distance kept from kinks, and gap between `distinct` values. */
export const KINK_DISTANCE = 2e-2;
const DISTINCT_GAP = 2 ** -6;

/** Uniform numbers in [0, 1) from a seed: a Weyl sequence through a multiply-and-shift mixer. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let bits = state;
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return ((bits ^ (bits >>> 16)) >>> 0) * 2 ** -32;
  };
}

/** A number from a text (FNV-1a), so that each input of each case has data of its own. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return hash >>> 0;
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** 0 … count − 1 in random order. */
function shuffled(count: number, random: () => number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [order[i], order[other]] = [order[other], order[i]];
  }
  return order;
}

function avoidKinks(value: number, kinks: readonly number[]): number {
  for (const kink of kinks) {
    if (Math.abs(value - kink) < KINK_DISTANCE) {
      return kink + (value < kink ? -1.5 : 1.5) * KINK_DISTANCE;
    }
  }
  return value;
}

/** The raw values of one fill, before kinks are avoided and float32 rounds. */
function rawValues(spec: InputSpec, fill: Fill, size: number, random: () => number): number[] {
  const make = (element: (i: number) => number) =>
    Array.from({ length: size }, (_, i) => element(i));
  const between = ([low, high]: [number, number]) => low + (high - low) * random();
  switch (fill) {
    case 'normal': {
      const [low, high] = spec.range ?? [-2.576, 2.576];
      return make(() => (low + high) / 2 + (normal(random) * (high - low)) / 5.152);
    }
    case 'uniform':
      return make(() => between(spec.range ?? [-1, 1]));
    case 'integers': {
      const [low, high] = spec.range ?? [-3, 3];
      return make(() => low + Math.floor(random() * (high - low + 1)));
    }
    case 'positive':
      return make(() => between(spec.range ?? [0.1, 2]));
    case 'awayFromZero':
      return make(() => (random() < 0.5 ? -1 : 1) * between(spec.range ?? [0.05, 2]));
    case 'distinct':
      return shuffled(size, random).map((rank) => (rank - Math.floor(size / 2)) * DISTINCT_GAP);
    case 'labels': {
      const max = spec.max ?? 1;
      return shuffled(size, random).map((rank) => rank % max);
    }
    case 'mask':
      return make(() => (random() < 0.5 ? 0 : 1));
    case 'probabilities': {
      const values = make(() => 0.05 + random());
      const length = spec.shape[spec.shape.length - 1];
      return values.map((value, i) => {
        const start = i - (i % length);
        return value / values.slice(start, start + length).reduce((sum, each) => sum + each, 0);
      });
    }
  }
}

/** The data of one input: row-major, each value exactly representable in float32 (integers but for f32). */
export function fillInput(spec: InputSpec, seed: number): Float64Array {
  const size = spec.shape.reduce((product, length) => product * length, 1);
  const isInteger = spec.dtype !== undefined && spec.dtype !== 'f32';
  const fill = spec.fill ?? (isInteger ? 'labels' : 'normal');
  const values = rawValues(spec, fill, size, seededRandom(seed));
  return Float64Array.from(values, (value) => Math.fround(avoidKinks(value, spec.kinks ?? [])));
}

/** All inputs of a case as reference arrays; the seed of each follows from the case's title and the input's name. */
export function fillCase(
  { title, inputs }: OpCase,
  seed = 0,
): Record<string, { shape: number[]; data: Float64Array }> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, spec]) => [
      name,
      { shape: spec.shape, data: fillInput(spec, seedOf(`${seed}/${title}/${name}`)) },
    ]),
  );
}
