/**
 * The generic tests of one op: every case of test/cases/<stem>.ts, with every kernel variant that
 * fits it, forward and backward, against the float64 reference; then the properties every op has.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { isRecording } from '../../src/autograd/recording.js';
import type { OpRecord } from '../../src/autograd/record.js';
import type { Device } from '../../src/device.js';
import { applyOp, type Tensor } from '../../src/tensor.js';
import { references, type AnyReference } from '../../src/reference/index.js';
import type { RefArray, RefOutput } from '../../src/reference/types.js';
import type { CaseFile, OpCase } from '../cases/types.js';
import { expectCoverage } from './coverage.js';
import { testDevice } from './device.js';
import { fillCase, fillInput, seedOf } from './fill.js';

type Options = Record<string, unknown>;

/** A record, or for families the rule that picks one by the case's options. */
export interface OpModule {
  recordOf?: (options: Options) => OpRecord;
  [name: string]: unknown;
}

export interface Outcome {
  y: ArrayLike<number>;
  yShape: readonly number[];
  gradients: Record<string, ArrayLike<number>>;
  /** Inputs after the op: ops such as batch norm change some. */
  inputs: Record<string, ArrayLike<number>>;
}

const camel = (stem: string): string => stem.replace(/_(\w)/g, (_, c: string) => c.toUpperCase());

export function describeOp(stem: string): void {
  expectCoverage(stem, Object.keys(references), testDevice);
  describe(stem, async () => {
    const casesFile = (await import(`../cases/${stem}.ts`)) as CaseFile;
    const module = (await import(`../../src/autograd/ops/${stem}.ts`)) as OpModule;
    const recordOf = module.recordOf ?? (() => module[camel(stem)] as OpRecord);
    const reference = (references as Record<string, AnyReference>)[stem];
    let device: Device;
    beforeAll(async () => {
      device = await testDevice();
    });

    // Ops of logarithms and exponentials have no exact cases.
    describe.runIf(casesFile.exactCases.length > 0)('exact: integers equal the reference', () => {
      for (const opCase of casesFile.exactCases) {
        it(opCase.title, async () => {
          await forEachVariant(device, recordOf, opCase, async (options, name) => {
            const wanted = runReference(reference, opCase);
            const got = await runOp(device, recordOf(options), opCase, options);
            compare(name, opCase, got, wanted, () => 0);
          });
        });
      }
    });

    describe('GPU against float64: forward and every gradient', () => {
      for (const opCase of casesFile.cases) {
        it(opCase.title, async () => {
          await forEachVariant(device, recordOf, opCase, async (options, name) => {
            const wanted = runReference(reference, opCase);
            const got = await runOp(device, recordOf(options), opCase, options);
            compare(name, opCase, got, wanted, allowed);
          });
        });
      }
    });

    describe('properties', () => {
      const sample = casesFile.cases[0];
      it('two runs give the same bits', async () => {
        const record = recordOf(sample.options);
        const first = await runOp(device, record, sample, sample.options);
        const second = await runOp(device, record, sample, sample.options);
        expect(Array.from(second.y)).toEqual(Array.from(first.y));
        for (const name in first.gradients) {
          expect(Array.from(second.gradients[name])).toEqual(Array.from(first.gradients[name]));
        }
      });

      it('gives the same where nothing is kept for a backward pass', async () => {
        await forEachVariant(device, recordOf, sample, async (options) => {
          const kept = await runOp(device, recordOf(options), sample, options);
          const plain = await runOp(device, recordOf(options), sample, options, { only: [] });
          expect(Array.from(plain.y)).toEqual(Array.from(kept.y));
          expect(plain.gradients).toEqual({});
        });
      });

      it('zero dy gives zero gradients of the inputs’ shapes', async () => {
        const record = recordOf(sample.options);
        const got = await runOp(device, record, sample, sample.options, { dyScale: 0 });
        for (const name in got.gradients) {
          const wanted = sample.inputs[name].shape.reduce((a, b) => a * b, 1);
          expect(got.gradients[name].length).toBe(wanted);
          expect(Array.from(got.gradients[name]).every((value) => value === 0)).toBe(true);
        }
      });

      it('backward is linear in dy', async () => {
        const record = recordOf(sample.options);
        const once = await runOp(device, record, sample, sample.options);
        const doubled = await runOp(device, record, sample, sample.options, { dyScale: 2 });
        for (const name in once.gradients) {
          // Doubling is exact in binary floating point, so the bits double too.
          expect(Array.from(doubled.gradients[name])).toEqual(
            Array.from(once.gradients[name], (value) => value * 2),
          );
        }
      });

      it('computes only the gradients that are needed', async () => {
        const record = recordOf(sample.options);
        const all = await runOp(device, record, sample, sample.options);
        for (const name in all.gradients) {
          const one = await runOp(device, record, sample, sample.options, { only: [name] });
          expect(Object.keys(one.gradients)).toEqual([name]);
          expect(Array.from(one.gradients[name])).toEqual(Array.from(all.gradients[name]));
        }
      });
    });

    describe('errors', () => {
      for (const errorCase of casesFile.errorCases) {
        it(errorCase.title, () => {
          const { inputs, options } = errorCase;
          const metas = Object.fromEntries(
            Object.entries(inputs).map(([name, spec]) => [
              name,
              { shape: spec.shape, dtype: spec.dtype ?? 'f32' },
            ]),
          );
          let caught: unknown;
          try {
            recordOf(options).shape(metas, options);
          } catch (error) {
            caught = error;
          }
          expect(caught).toBeInstanceOf(Error);
          expect((caught as Error).name).toBe(errorCase.error);
          expect((caught as Error).message).toMatch(errorCase.message);
        });
      }
    });
  });
}

async function forEachVariant(
  device: Device,
  recordOf: (options: Options) => OpRecord,
  opCase: OpCase,
  run: (options: Options, name: string) => Promise<void>,
): Promise<void> {
  const record = recordOf(opCase.options);
  const metas = Object.fromEntries(
    Object.entries(opCase.inputs).map(([name, spec]) => [
      name,
      { shape: spec.shape, dtype: spec.dtype ?? ('f32' as const) },
    ]),
  );
  const plan = record.shape(metas, opCase.options);
  const variants = record.variants?.(plan, device.info) ?? [];
  await run(opCase.options, 'chosen');
  for (const variant of variants) {
    await run({ ...opCase.options, variant }, JSON.stringify(variant));
  }
}

/** dy of a case: normal, or integers where the case's data are. */
function dyOf(opCase: OpCase, shape: readonly number[], scale = 1): RefArray {
  const isExact = Object.values(opCase.inputs).some((spec) => spec.fill === 'integers');
  const spec = { shape: [...shape], fill: isExact ? ('integers' as const) : ('normal' as const) };
  const data = fillInput(spec, seedOf(`dy/${opCase.title}`));
  return { shape, data: data.map((value) => value * scale) };
}

function runReference(reference: AnyReference, opCase: OpCase) {
  const inputs = fillCase(opCase);
  const { y, extra = {} } = reference.forward(inputs, opCase.options);
  const gradients = reference.backward(inputs, opCase.options, dyOf(opCase, y.shape));
  return { y, extra, gradients };
}

/** Runs forward and backward of a case on the GPU. */
export async function runOp(
  device: Device,
  record: OpRecord,
  opCase: OpCase,
  options: Options,
  { dyScale = 1, only }: { dyScale?: number; only?: string[] } = {},
): Promise<Outcome> {
  expect(isRecording()).toBe(true);
  return device.scope(async () => {
    const data = fillCase(opCase);
    const tensors: Record<string, Tensor> = {};
    for (const name in data) {
      const spec = opCase.inputs[name];
      const dtype = spec.dtype ?? 'f32';
      // concat's inputs are x0, x1, …: one formula, `xi`, stands for all of them.
      const formula = name in record.derivatives ? name : name.replace(/\d+$/, 'i');
      const isDifferentiable = dtype === 'f32' && formula in record.derivatives;
      tensors[name] = device.tensor([...data[name].data], data[name].shape, {
        dtype,
        requiresGrad: isDifferentiable && (only?.includes(name) ?? true),
      });
    }
    const y = applyOp(record, tensors, options);
    const outcome: Outcome = { y: await y.data(), yShape: y.shape, gradients: {}, inputs: {} };
    if (y.node) {
      const dy = dyOf(opCase, y.shape, dyScale);
      y.backward(device.tensor(Float32Array.from(dy.data), dy.shape));
    }
    for (const name in tensors) {
      const { grad } = tensors[name];
      if (grad) outcome.gradients[name] = await grad.data();
      outcome.inputs[name] = await tensors[name].data();
    }
    return outcome;
  });
}

/** STYLE of the bound: sums of L products of float32 (see src/reference/types.ts). */
function allowed(reference: RefOutput, i: number): number {
  return (8 + Math.sqrt(reference.terms)) * 2 ** -24 * reference.magnitude[i] + 2 ** -126;
}

function compare(
  variant: string,
  opCase: OpCase,
  got: Outcome,
  wanted: ReturnType<typeof runReference>,
  tolerance: (reference: RefOutput, i: number) => number,
): void {
  expect([...got.yShape], 'shape of y').toEqual([...wanted.y.shape]);
  check(variant, opCase, 'y', got.y, wanted.y, tolerance);
  for (const name in wanted.gradients) {
    // The reference knows no element types; integers have no gradient.
    if ((opCase.inputs[name].dtype ?? 'f32') !== 'f32') continue;
    expect(Object.keys(got.gradients), 'inputs with a gradient').toContain(name);
    check(variant, opCase, `d${name}`, got.gradients[name], wanted.gradients[name], tolerance);
  }
  for (const name in wanted.extra) {
    if (name in got.inputs) {
      check(variant, opCase, name, got.inputs[name], wanted.extra[name], tolerance);
    }
  }
}

/** Fails with op, variant, index, got, want and what was allowed. */
function check(
  variant: string,
  opCase: OpCase,
  what: string,
  got: ArrayLike<number>,
  wanted: RefOutput,
  tolerance: (reference: RefOutput, i: number) => number,
): void {
  expect(got.length, `size of ${what}`).toBe(wanted.data.length);
  for (let i = 0; i < got.length; i++) {
    const limit = tolerance(wanted, i);
    const error = Math.abs(got[i] - wanted.data[i]);
    if (error <= limit || (Number.isNaN(got[i]) && Number.isNaN(wanted.data[i]))) continue;
    throw new Error(
      `${what}[${indexOf(i, wanted.shape).join(', ')}] variant ${variant}: got ${got[i]}, want ${wanted.data[i]}, ` +
        `off by ${error}, allowed ${limit} (${opCase.title})`,
    );
  }
}

function indexOf(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  let rest = flat;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(rest % shape[axis]);
    rest = Math.floor(rest / shape[axis]);
  }
  return index;
}
