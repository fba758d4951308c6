import type { Plan } from '../autograd/record.js';
import type { Device } from '../device.js';
import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { castArray } from '../kernels/cast.js';
import { allowedError } from '../kernels/lib/accuracy.js';
import { randomArray } from '../kernels/random.js';
import type { CaseInput, CaseRunner, CaseVariant, RecordCase } from './case.js';

/** Runs one direction of an op record, without the tape, on random inputs. */
export function openRecordCase(device: Device, recordCase: RecordCase): CaseRunner {
  const { runtime } = device;
  const { record, needs } = recordCase;
  const planOf = (variant?: CaseVariant): { options: unknown; plan: Plan } => {
    const options = variant
      ? { ...recordCase.options, variant: variant.option }
      : recordCase.options;
    return { options, plan: record.shape(metas, options) };
  };
  const metas = metasOf(recordCase);
  const chosen = planOf();
  const inputs = mapValues(recordCase.inputs, (input) => drawInput(runtime, input));
  const backward = needs.length > 0 ? prepareBackward(runtime, recordCase, inputs, chosen) : null;
  return {
    variants: recordCase.variants?.(device) ?? namedVariants(recordCase, chosen.plan, device),
    operands: { ...inputs, ...(backward ? { dy: backward.call.dy } : {}) },
    run(variant) {
      const call = { runtime, ...planOf(variant) };
      if (!backward) {
        const { y, extras = {} } = record.forward({ ...call, inputs, keepsExtras: false });
        for (const extra of Object.values(extras)) extra.release();
        return [y];
      }
      const gradients = record.backward({ ...call, ...backward.call, inputs: metas });
      // Nothing is known of dy here, so that every gradient is computed.
      return needs.map((name) => gradients[name] as GpuArray);
    },
    allowed(want, output) {
      const { terms, magnitudes } = recordCase;
      const largest = (): number => want.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
      return allowedError(terms, magnitudes[output] ?? largest());
    },
    close() {
      const owned = [...Object.values(inputs), ...(backward?.owned ?? [])];
      for (const array of owned) array.release();
    },
  };
}

/** Shapes and element types of a case's inputs. */
export function metasOf({ inputs }: RecordCase) {
  return mapValues(inputs, ({ shape, fill, dtype }) => ({
    shape,
    dtype: fill === 'labels' ? ('i32' as const) : (dtype ?? 'f32'),
  }));
}

function namedVariants({ record }: RecordCase, plan: Plan, device: Device): CaseVariant[] {
  const options = record.variants?.(plan, device.info) ?? [];
  return options.map((option) => ({ name: String(option), option }));
}

/** A forward pass for what the gradients need of it, and a random gradient of the output. */
function prepareBackward(
  runtime: Runtime,
  { record, needs }: RecordCase,
  inputs: Record<string, GpuArray>,
  { options, plan }: { options: unknown; plan: Plan },
) {
  const { y, extras = {} } = record.forward({ runtime, inputs, options, plan, keepsExtras: true });
  const saved: Record<string, GpuArray> = {};
  for (const name in record.saves) {
    const array = extras[name] ?? (name === 'y' ? y : inputs[name]);
    if (array) saved[name] = array;
  }
  const dy = drawInput(runtime, { shape: y.shape, fill: 'normal' });
  return {
    call: { saved, dy, needs: mapValues(record.inputs, (_, name) => needs.includes(name)) },
    owned: [y, dy, ...Object.values(extras)],
  };
}

function drawInput(runtime: Runtime, input: CaseInput): GpuArray {
  const { shape, fill, dtype = 'f32', classes = 1 } = input;
  if (fill === 'labels') {
    const labels = runtime.alloc(shape, 'i32');
    // A multiplicative hash visits the classes in no order that a cache could like.
    const classOf = (i: number): number => (Math.imul(i, 0x9e3779b1) >>> 8) % classes;
    runtime.write(
      labels,
      Int32Array.from({ length: labels.size }, (_, i) => classOf(i)),
    );
    return labels;
  }
  const wide =
    fill === 'normal'
      ? randomArray(runtime, shape, { kind: 'normal', mean: 0, standardDeviation: 1 })
      : randomArray(runtime, shape, { kind: 'uniform', low: 0.5, high: 1.5 });
  if (dtype === 'f32') return wide;
  const narrow = castArray(runtime, wide, dtype);
  wide.release();
  return narrow;
}

function mapValues<A, B>(
  values: Readonly<Record<string, A>>,
  fn: (value: A, name: string) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, fn(value, name)]));
}
