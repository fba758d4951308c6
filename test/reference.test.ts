/**
 * Ladder step 2: each reference backward against central differences of its forward, both in float64. With f the sum
 * of dy · y, every difference quotient (f(x + h) − f(x − h)) / 2h must meet the gradient.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { references, type AnyReference } from '../src/reference/index.js';
import { erf } from '../src/reference/lib/scalar_functions.js';
import type { RefArray } from '../src/reference/types.js';
import type { CaseFile, OpCase } from './cases/types.js';
import { fillCase, seededRandom, seedOf } from './helpers/fill.js';

const STEP = 1e-5;
const TOLERANCE = 1e-7;
const SMALLEST_SCALE = 1e-3;
/** Products a case may spend on single differences; larger cases sample their elements. */
const PRODUCTS_PER_INPUT = 5e5;

/** Ops whose results move in steps; what they give for a gradient is tested by itself. */
const NOT_SMOOTH = ['arg_max', 'augment', 'cast', 'compare', 'one_hot', 'top_k'];

/** Numbers of random sign, 0.5 to 1 in size: a tiny dy would drown its gradient in the rounding of the quotient. */
function randomLike(shape: readonly number[], size: number, seed: number): RefArray {
  const random = seededRandom(seed);
  const data = Float64Array.from({ length: size }, () => {
    const sign = random() < 0.5 ? -1 : 1;
    return sign * (0.5 + random() / 2);
  });
  return { shape, data };
}

/** Σ dy·(y(x + h·direction) − y(x − h·direction)) / 2h, differencing before summing to keep digits. */
function differenceQuotient(
  reference: AnyReference,
  inputs: Record<string, RefArray>,
  options: Record<string, unknown>,
  dy: RefArray,
  name: string,
  direction: (flat: number) => number,
): number {
  const moved = (sign: number) => {
    const data = inputs[name].data.map((value, flat) => value + sign * STEP * direction(flat));
    return reference.forward({ ...inputs, [name]: { ...inputs[name], data } }, options).y.data;
  };
  const [above, below] = [moved(1), moved(-1)];
  return above.reduce((sum, y, i) => sum + (dy.data[i] * (y - below[i])) / (2 * STEP), 0);
}

/** Elements to check one by one: all of a small case, a seeded sample of a large one. */
function sampled(size: number, productsPerForward: number, seed: number): number[] {
  const count = Math.max(4, Math.floor(PRODUCTS_PER_INPUT / productsPerForward));
  if (count >= size) return Array.from({ length: size }, (_, i) => i);
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => Math.floor(random() * size));
}

function checkGradients(reference: AnyReference, { title, options, ...opCase }: OpCase): void {
  const inputs = fillCase({ title, options, ...opCase });
  const { y } = reference.forward(inputs, options);
  const dy = randomLike(y.shape, y.data.length, seedOf(title));
  const gradients = reference.backward(inputs, options, dy);
  expect(Object.keys(gradients).length).toBeGreaterThan(0);

  for (const [name, gradient] of Object.entries(gradients)) {
    expect(gradient.shape, `shape of d${name}`).toEqual(inputs[name].shape);
    const compare = (label: string, expected: number, got: number, scale: number) => {
      const allowed = TOLERANCE * Math.max(Math.abs(expected), scale);
      const message = `d${name}${label}: got ${got}, difference quotient ${expected}, allowed ${allowed}`;
      expect(Math.abs(got - expected), message).toBeLessThanOrEqual(allowed);
    };
    const size = gradient.data.length;
    for (const flat of sampled(size, y.data.length * y.terms, seedOf(name))) {
      const direction = (other: number) => (other === flat ? 1 : 0);
      const expected = differenceQuotient(reference, inputs, options, dy, name, direction);
      compare(`[${flat}]`, expected, gradient.data[flat], SMALLEST_SCALE);
    }
    // all elements at once, in random directions of length 1
    const direction = randomLike([size], size, seedOf(title + name));
    const length = Math.hypot(...direction.data);
    const along = (flat: number) => direction.data[flat] / length;
    const expected = differenceQuotient(reference, inputs, options, dy, name, along);
    const got = gradient.data.reduce((sum, value, flat) => sum + value * along(flat), 0);
    compare(' along a random direction', expected, got, Math.hypot(...gradient.data) / 10);
  }
}

const stems = Object.keys(references) as (keyof typeof references)[];
const caseFiles = new Map<string, CaseFile>();
for (const stem of stems) {
  caseFiles.set(stem, (await import(`./cases/${stem}.ts`)) as CaseFile);
}

describe('data of the cases', () => {
  const kinks: Record<string, number[]> = {
    ...{ relu: [0], relu6: [0, 6], leakyRelu: [0], elu: [0], hardSwish: [-3, 3] },
  };
  const activated = stems.flatMap((stem) => {
    const { cases, composedCases = [] } = caseFiles.get(stem)!;
    return [...cases, ...composedCases]
      .filter(({ options }) => (options.activation as string) in kinks)
      .map((opCase) => ({ stem, title: opCase.title, opCase }));
  });

  it.each(activated)('keeps 1e-2 from the kinks: $stem, $title', ({ stem, opCase }) => {
    const { activation, ...options } = opCase.options;
    const { y } = references[stem].forward(fillCase(opCase), options);
    for (const kink of kinks[activation as string]) {
      expect(
        y.data.reduce((nearest, z) => Math.min(nearest, Math.abs(z - kink)), 9),
      ).toBeGreaterThan(1e-2);
    }
  });

  it('has titles that tell cases of an op apart', () => {
    for (const { cases, exactCases, errorCases } of caseFiles.values()) {
      for (const list of [cases, exactCases, errorCases]) {
        expect(new Set(list.map(({ title }) => title)).size).toBe(list.length);
      }
    }
  });
});

describe('erf', () => {
  // Abramowitz and Stegun, table 7.1
  it.each([
    [0, 0],
    [0.5, 0.5204998778],
    [1, 0.8427007929],
    [2, 0.995322265],
    [2.5, 0.999593048],
    [3, 0.9999779095],
  ])('erf(%d) = %d', (x, value) => {
    expect(erf(x)).toBeCloseTo(value, 9);
    expect(erf(-x)).toBeCloseTo(-value, 9);
  });
  it('joins its two formulas without a step', () => {
    const [below, above] = [erf(2.5), erf(2.5 + 1e-12)];
    // the slope there is 2/√π · exp(−6.25) = 2.2e-3
    expect(Math.abs(above - below)).toBeLessThan(1e-14);
  });
});

describe('the list of references', () => {
  it('holds every file of test/cases', () => {
    const files = readdirSync(new URL('./cases', import.meta.url)).filter(
      (name) => name !== 'types.ts',
    );
    expect(files.sort()).toEqual(stems.map((stem) => `${stem}.ts`).sort());
  });

  it('gives ops without smooth points no gradient, or that of the identity', () => {
    const x = { shape: [2], data: Float64Array.of(1.25, -3) };
    const backward = (stem: keyof typeof references, options: Record<string, unknown>) =>
      references[stem].backward({ x, indices: x }, options, x);
    expect(backward('arg_max', { axis: 0 })).toEqual({});
    expect(backward('one_hot', { depth: 2 })).toEqual({});
    expect(backward('compare', { op: 'less' })).toEqual({});
    expect(backward('cast', { dtype: 'i32' })).toEqual({});
    expect(backward('cast', { dtype: 'f16' }).x.data).toEqual(x.data);
  });

  it('holds every file of src/reference that is an op', () => {
    const helpers = ['index.ts', 'types.ts', 'optimizers.ts', 'philox.ts', 'lib'];
    const files = readdirSync(new URL('../src/reference', import.meta.url));
    expect(files.filter((name) => !helpers.includes(name)).sort()).toEqual(
      stems.map((stem) => `${stem}.ts`).sort(),
    );
  });
});

for (const stem of stems) {
  const { cases, exactCases, composedCases = [] } = caseFiles.get(stem)!;
  const reference: AnyReference = references[stem];

  describe(`${stem}: error bounds`, () => {
    it.each([...cases, ...exactCases, ...composedCases])('$title', (opCase) => {
      const { y, extra } = reference.forward(fillCase(opCase), opCase.options);
      for (const output of [y, ...Object.values(extra ?? {})]) {
        expect(output.data.length).toBe(output.shape.reduce((size, length) => size * length, 1));
        expect(output.terms).toBeGreaterThanOrEqual(1);
        expect(output.data.every(Number.isFinite)).toBe(true);
        expect(
          output.magnitude.every((value, i) => value >= Math.abs(output.data[i]) * 0.999),
        ).toBe(true);
      }
    });
  });

  if (NOT_SMOOTH.includes(stem)) continue;
  describe(`${stem}: gradients against central differences`, () => {
    it.each([...cases, ...composedCases])('$title', (opCase) => checkGradients(reference, opCase));
  });
}
