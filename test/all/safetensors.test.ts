import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.js';

const { TILEGRAD_PYPI_PYTHON: python = 'python3' } = process.env;
const run = (program: string, ...args: string[]): string =>
  execFileSync(python, ['-c', program, ...args], { encoding: 'utf8' });

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tilegrad-safetensors-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('the reference reader reads what we write', () => {
  const path = join(folder, 'ours.safetensors');
  const tensors = new Map([
    ['weight', { shape: [2, 3], data: Float32Array.of(1, -2, 0.5, 1e-40, Infinity, -0) }],
    ['Ünïcode/名', { shape: [2], data: Int32Array.of(-1, 2 ** 31 - 1) }],
    ['bytes', { shape: [3, 1], data: Uint8Array.of(0, 128, 255) }],
    ['scalar', { shape: [], data: Float32Array.of(7) }],
    ['empty', { shape: [0, 4], data: new Float32Array(0) }],
    ['wide', { shape: [1], data: BigInt64Array.of(2n ** 40n) }],
  ]);
  writeSafetensors(path, { tensors, metadata: { format: 'pt', note: '"quoted"\n' } });
  const program = `
import json, sys
from safetensors import safe_open
with safe_open(sys.argv[1], 'numpy') as f:
    read = {}
    for name in f.keys():
        array = f.get_tensor(name)
        read[name] = [str(array.dtype), list(array.shape), array.tobytes().hex()]
    print(json.dumps([read, f.metadata()]))`;
  const [read, metadata] = JSON.parse(run(program, path)) as [
    Record<string, [string, number[], string]>,
    Record<string, string>,
  ];
  expect(metadata).toEqual({ format: 'pt', note: '"quoted"\n' });
  const types = new Map<unknown, string>([
    [Float32Array, 'float32'],
    [Int32Array, 'int32'],
    [Uint8Array, 'uint8'],
    [BigInt64Array, 'int64'],
  ]);
  expect(Object.keys(read).sort()).toEqual([...tensors.keys()].sort());
  for (const [name, { shape, data }] of tensors) {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');
    expect(read[name], name).toEqual([types.get(data.constructor), shape, bytes]);
  }
});

it('we read what the reference writer writes', () => {
  const path = join(folder, 'theirs.safetensors');
  const program = `
import sys, numpy as np
from safetensors.numpy import save_file
save_file({
    'f32': np.array([[1, -2.5]], np.float32), 'f16': np.array([0.1, 65504, 6e-8], np.float16),
    'f64': np.array([1 / 3], np.float64), 'i64': np.array([-5], np.int64), 'i32': np.array([[7]], np.int32),
    'u8': np.array([200], np.uint8), 'bool': np.array([True, False]), 'none': np.zeros((0, 3), np.float32),
}, sys.argv[1], metadata={'made by': 'numpy'})`;
  run(program, path);
  const { tensors, metadata } = readSafetensors(path);
  expect(metadata).toEqual({ 'made by': 'numpy' });
  const read = Object.fromEntries(
    [...tensors].map(([name, { shape, data }]) => [name, [[...shape], Array.from(data)]]),
  );
  const half = (value: number): number => Math.round(value * 2 ** 24) / 2 ** 24;
  expect(read).toEqual({
    f32: [
      [1, 2],
      [1, -2.5],
    ],
    f16: [[3], [0.0999755859375, 65504, half(6e-8)]],
    f64: [[1], [Math.fround(1 / 3)]],
    i64: [[1], [-5]],
    i32: [[1, 1], [7]],
    u8: [[1], [200]],
    bool: [[2], [1, 0]],
    none: [[0, 3], []],
  });
});
