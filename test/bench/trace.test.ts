import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TraceFile, traceLevel, traceLines } from '../../src/cli/trace.js';
import { UsageError } from '../../src/errors.js';
import type { DispatchTiming } from '../../src/gpu/profiler.js';
import { fillArray } from '../../src/kernels/fill.js';
import { accumulate } from '../../src/kernels/lib/accumulate.js';
import { testDevice } from '../helpers/device.js';

const timing: DispatchTiming = {
  ...{ op: 'conv2d forward', shader: 'conv2d_forward_naive', groups: [8, 2, 1] },
  ...{ startMs: 100, ms: 2, flops: 4e6, bytes: 1e6, code: 'fn main() {}\n' },
  ...{ mark: { phase: 'forward', module: 'conv1' }, isFirst: true, copiedBytes: 0 },
  bindings: { x: { shape: [2, 8, 8, 3], dtype: 'f32' } },
};

describe('trace', () => {
  it('takes 0, 1 and 2 and refuses others', () => {
    expect([undefined, '', '0', '1', '2'].map(traceLevel)).toEqual([0, 0, 0, 1, 2]);
    expect(() => traceLevel('yes')).toThrow(UsageError);
    expect(() => traceLevel('yes')).toThrow('TRACE must be 0, 1 or 2, got "yes"');
  });

  it('writes op, shader, grid, time and rates of a dispatch on one line', () => {
    const text = traceLines(false)([timing, { ...timing, flops: 0 }]);
    const [first, second] = text.trimEnd().split('\n');
    expect(first.split(/\s{2,}/)).toEqual([
      'conv2d forward',
      'conv2d_forward_naive',
      '8×2×1',
      '2.0000 ms',
      '2.00 GFLOP/s',
      '0.500 GB/s',
    ]);
    expect(second).toContain('– GFLOP/s');
  });

  it('shows a shader once, before its first dispatch, at level 2', () => {
    const show = traceLines(true);
    expect(show([timing]).split('\n')[1]).toBe('fn main() {}');
    expect(show([timing])).not.toContain('fn main');
  });

  it('keeps the first dispatches for a file, and says what is not in it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tilegrad-trace-'));
    try {
      const path = join(folder, 'deep', 'trace.json');
      const file = new TraceFile(path, 3);
      file.add([timing, timing]);
      expect(file.write('some GPU')).toBeNull();
      file.add([timing, timing, timing]);
      expect(file.write('some GPU')).toBe(`${path} holds the first 3 dispatches; 2 more ran`);
      const events = JSON.parse(readFileSync(path, 'utf8')) as { cat?: string; name: string }[];
      expect(events.filter(({ name }) => name === 'conv2d forward')).toHaveLength(3);
      expect(readdirSync(dirname(path))).toEqual(['trace.json']);
      expect(new TraceFile(join(path, 'no')).write('some GPU')).toContain('cannot be written');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('sees every dispatch before sync is done, and those of a profile too', async () => {
    const { runtime } = await testDevice();
    if (!runtime.hasTimestamps) {
      console.log('skipped: no timestamp-query on this adapter');
      return;
    }
    const seen: DispatchTiming[] = [];
    runtime.trace((timings) => seen.push(...timings));
    const sum = fillArray(runtime, [8], 'f32', 1);
    const two = fillArray(runtime, [8], 'f32', 2);
    accumulate(runtime, sum, two);
    await runtime.sync();
    expect(seen.map(({ shader }) => shader)).toEqual(['arange', 'arange', 'accumulate_vec4']);
    expect(seen[2].code).toContain('fn main');
    const other = fillArray(runtime, [8], 'f32', 1);
    const profiled = await runtime.profile(() => accumulate(runtime, sum, other));
    expect(profiled.map(({ shader }) => shader)).toContain('accumulate_vec4');
    expect(seen.slice(-profiled.length)).toEqual(profiled);
    sum.release();
    two.release();
    other.release();
  });
});
