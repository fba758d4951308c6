/** What a file of test/cases holds: shapes and options as data. The generic tests fill them, run them and judge. */

export type Fill =
  /** Standard normal, or with `range` scaled to its width around its middle (99 % inside). The default for f32. */
  | 'normal'
  /** Uniform in `range`, [−1, 1] where absent. */
  | 'uniform'
  /** −3 … 3, or the integers of `range`: sums are exact in float32 whatever their order. */
  | 'integers'
  /** Uniform in `range`, [0.1, 2] where absent. */
  | 'positive'
  /** Random sign times uniform in `range`, [0.05, 2] where absent. */
  | 'awayFromZero'
  /** All different, 2⁻⁶ or more apart, around zero, in random order. */
  | 'distinct'
  /** Integers 0 … max − 1, each occurring where there is room. The default for i32 and u32. */
  | 'labels'
  /** Zeros and ones, about half each. */
  | 'mask'
  /** Positive, summing to 1 along the last axis. */
  | 'probabilities';

export interface InputSpec {
  shape: number[];
  /** f32 where absent. */
  dtype?: 'f32' | 'i32' | 'u32' | 'u8';
  fill?: Fill;
  range?: [number, number];
  /** labels: one more than the largest. */
  max?: number;
  /** Points where the op's slope jumps: values come no nearer than 2e-2. */
  kinks?: number[];
}

/** One shape with its options, run by every generic test. */
export interface OpCase {
  title: string;
  inputs: Record<string, InputSpec>;
  options: Record<string, unknown>;
}

/** Input that must be refused: the error's type, and a pattern for the essential part of its text. */
export interface ErrorCase extends OpCase {
  error: 'ShapeError' | 'LimitError' | 'GradError' | 'DataError' | 'UsageError';
  message: RegExp;
}

/** What each file of this folder exports. */
export interface CaseFile {
  cases: OpCase[];
  errorCases: ErrorCase[];
  /** Integer data and sums below 2²⁴: the f32 result must equal the reference bit for bit. */
  exactCases: OpCase[];
  /** Options that ops.* composes of several records, such as an activation that cannot be fused. */
  composedCases?: OpCase[];
}

/** A case whose title is the note, then every shape and option. */
export function opCase(
  note: string,
  inputs: Record<string, InputSpec>,
  options: Record<string, unknown> = {},
): OpCase {
  const shapes = Object.entries(inputs).map(([name, { shape }]) => `${name} [${shape.join(' ')}]`);
  const settings = Object.entries(options).map(
    ([name, value]) => `${name}=${JSON.stringify(value)}`,
  );
  return { title: `${note}: ${[shapes.join(', '), ...settings].join(' ')}`, inputs, options };
}

/** A case that must be refused; ShapeError unless told otherwise. */
export function errorCase(
  note: string,
  inputs: Record<string, InputSpec>,
  options: Record<string, unknown>,
  message: RegExp,
  error: ErrorCase['error'] = 'ShapeError',
): ErrorCase {
  return { ...opCase(note, inputs, options), message, error };
}

/**
 * Pattern of an error text: it starts with the op's public name and a colon, and mentions every part somewhere.
 * `op` and the parts are sources of regular expressions.
 */
export function says(op: string, ...parts: string[]): RegExp {
  return new RegExp(`^(?:${op}): ${parts.map((part) => `(?=[^]*${part})`).join('')}`);
}

/** Pattern of a shape in an error text, after the name it belongs to: `x [N=8 H=32 W=32 C=4]` or `x … ([8, 32])`. */
export function labelled(name: string, shape: number[]): string {
  return `\\b${name}\\b[^]*\\[${shape.map((length) => `(?:\\w+=)?${length}`).join(',? ')}\\]`;
}

/** The same case with integer data, for the exact test; kinks and other fills of f32 inputs are dropped. */
export function withIntegers({ title, inputs, options }: OpCase): OpCase {
  const integers = Object.entries(inputs).map(([name, spec]): [string, InputSpec] =>
    spec.dtype ? [name, spec] : [name, { shape: spec.shape, fill: 'integers' }],
  );
  return { title: `integers, ${title}`, inputs: Object.fromEntries(integers), options };
}
