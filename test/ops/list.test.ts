import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { records } from '../../src/autograd/ops/index.js';
import type { OpRecord } from '../../src/autograd/record.js';
import { ops, Tensor } from '../../src/index.js';

const folder = (path: string): string[] =>
  readdirSync(new URL(path, import.meta.url))
    .filter((name) => name !== 'index.ts')
    .map((name) => name.replace('.ts', ''));

describe('ops.list()', () => {
  it('gives the cost of its example', () => {
    const pool = ops.list().find((op) => op.name === 'maxPool2d')!;
    expect(pool.inputs).toEqual({ x: 'N H W C' });
    expect(pool.shape({ x: [1, 4, 4, 1] }, { size: 2 })).toEqual([1, 2, 2, 1]);
    expect(pool.flops({ x: [1, 4, 4, 1] }, { size: 2 })).toBe(16);
    expect(pool.bytes({ x: [1, 4, 4, 1] }, { size: 2 })).toBe(80);
  });

  it('counts a convolution as two FLOP a multiply-add', () => {
    const conv = ops.list().find((op) => op.name === 'conv2d')!;
    const shapes = { x: [2, 8, 8, 3], w: [3, 3, 3, 16] };
    expect(conv.flops(shapes, { padding: 'same' })).toBe(2 * 2 * 8 * 8 * 16 * 27);
    expect(() => conv.flops({ x: [2, 8, 8, 3], w: [3, 3, 4, 16] })).toThrow(
      'conv2d: w has 4 input',
    );
  });

  it('takes other element types', () => {
    const gather = ops.list().find((op) => op.name === 'gather')!;
    const indices = { shape: [5], dtype: 'i32' } as const;
    expect(gather.shape({ x: [3, 2], indices })).toEqual([5, 2]);
  });

  it('names every record once, under its own name', () => {
    const names = ops.list().map((op) => op.name);
    expect(new Set(names).size).toBe(names.length);
    for (const [key, record] of Object.entries(records)) expect(record.name).toBe(key);
  });

  it('holds every record of src/autograd/ops', async () => {
    const listed = new Set<unknown>(Object.values(records));
    for (const stem of folder('../../src/autograd/ops')) {
      const module = (await import(`../../src/autograd/ops/${stem}.ts`)) as Record<string, unknown>;
      const found = Object.values(module).filter(isRecord);
      for (const record of found) {
        expect(listed.has(record), `${stem}: ${record.name} is not on the list`).toBe(true);
      }
    }
  });

  it('has every public function of src/ops as a function, and as a method of tensors', async () => {
    const public_ = ops as unknown as Record<string, unknown>;
    for (const group of folder('../../src/ops')) {
      const module = (await import(`../../src/ops/${group}.ts`)) as Record<string, unknown>;
      for (const [name, value] of Object.entries(module)) {
        // Not ops: for the other files of the folder, and what surrounds ops.
        const isNoOp = [
          ...['withActivation', 'withScalar', 'withBias', 'asOperand', 'withOperands'],
          ...['operandTypeNow', 'expectOperands'],
        ].includes(name);
        if (typeof value !== 'function' || isNoOp) continue;
        expect(public_[name], `${group}: ops.${name}`).toBe(value);
        if (name === 'concat') continue;
        expect(typeof (Tensor.prototype as unknown as Record<string, unknown>)[name], name).toBe(
          'function',
        );
      }
    }
  });
});

function isRecord(value: unknown): value is OpRecord {
  return typeof value === 'object' && value !== null && 'derivatives' in value && 'saves' in value;
}
