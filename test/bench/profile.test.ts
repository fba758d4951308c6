import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountOf, modulesOf, profileOf } from '../../src/bench/profile.js';
import { profileLines } from '../../src/bench/profile_table.js';
import { traceEvents, type TraceEvent } from '../../src/bench/profile_trace.js';
import { checkRequest } from '../../src/bench/request.js';
import { measureTraining, type TrainingMeasurement } from '../../src/bench/training.js';
import type { DispatchMark } from '../../src/gpu/dispatch.js';
import { largestSum } from '../../src/gpu/lifetimes.js';
import type { DispatchTiming } from '../../src/gpu/profiler.js';
import { createDevice, type Device } from '../../src/index.js';
import { testDevice } from '../helpers/device.js';

const PEAK = { gflops: 100, gbps: 10 };

function timing(
  startMs: number,
  ms: number,
  changes: Partial<DispatchTiming> & { mark?: DispatchMark } = {},
): DispatchTiming {
  return {
    ...{ op: 'matmul', shader: 'matmul', groups: [1, 1, 1], startMs, ms, flops: 1e6, bytes: 1e5 },
    ...{ mark: null, isFirst: false, copiedBytes: 0, bindings: {}, code: '', ...changes },
  };
}

const forward: DispatchMark = { phase: 'forward', module: 'fc' };
const backward: DispatchMark = { phase: 'backward', module: 'fc' };

/** Two kernels, a copy between them, then another submission. */
const step = [
  timing(10, 2, { isFirst: true, mark: forward }),
  timing(12.5, 1, { mark: forward, op: 'softmax', shader: 'softmax' }),
  timing(14, 3, { isFirst: true, copiedBytes: 64, mark: backward }),
  timing(18, 1, { isFirst: true }),
];

/** Events on one track that neither follow nor hold each other. */
function overlaps(events: readonly TraceEvent[]): string[] {
  const found: string[] = [];
  const tracks = new Map<number, TraceEvent[]>();
  for (const event of events) {
    if (event.ph === 'X') tracks.set(event.tid, [...(tracks.get(event.tid) ?? []), event]);
  }
  for (const [tid, track] of tracks) {
    track.sort((a, b) => a.ts! - b.ts!);
    for (let i = 1; i < track.length; i++) {
      const end = track[i - 1].ts! + track[i - 1].dur!;
      if (track[i].ts! < end - 1e-6) found.push(`track ${tid}: ${track[i].name} at ${track[i].ts}`);
    }
  }
  return found;
}

describe('profile arithmetic', () => {
  it('tells directions apart, and shares add up to the whole', () => {
    const rows = profileOf([...step, ...step], 2);
    expect(rows.map(({ phase, op, count, ms }) => [phase, op, count, ms])).toEqual([
      ['backward', 'matmul', 1, 3],
      ['forward', 'matmul', 1, 2],
      ['forward', 'softmax', 1, 1],
      [null, 'matmul', 1, 1],
    ]);
    expect(rows.reduce((sum, { percentOfStep }) => sum + percentOfStep, 0)).toBeCloseTo(100, 10);
    expect(rows[1]).toMatchObject({ gflops: 0.5, gbps: 0.05 });
    const modules = modulesOf(step);
    expect(modules[0]).toMatchObject({ module: 'fc', forwardMs: 3, backwardMs: 3, otherMs: 0 });
    expect(modules[1]).toMatchObject({ module: null, otherMs: 1 });
  });

  it('splits the wall clock into kernels, copies, gaps and waits', () => {
    const account = accountOf(step, 1, 10);
    expect(account).toMatchObject({ kernelMs: 7, copyMs: 0.5, gapMs: 0.5, waitMs: 1 });
    expect(account).toMatchObject({ longestGapMs: 0.5, copiedBytes: 64, submissions: 3 });
    expect(account.percentExplained).toBeCloseTo(90, 10);
  });

  it('counts kernels that overlap once', () => {
    const account = accountOf([timing(0, 4), timing(2, 4), timing(3, 1), timing(7, 1)], 1, 8);
    expect(account).toMatchObject({ kernelMs: 7, gapMs: 1, percentExplained: 100 });
  });

  it('finds the largest sum of lifetimes', () => {
    const lifetimes = [
      { bytes: 10, first: 0, last: 1 },
      { bytes: 20, first: 1, last: 2 },
      { bytes: 25, first: 2, last: 3 },
      { bytes: 99, first: null, last: 0 },
    ];
    expect(largestSum(lifetimes)).toBe(45);
    expect(largestSum([])).toBe(0);
  });
});

describe('trace events', () => {
  it('begin at 0, in microseconds, with shapes and costs', () => {
    const bindings = { x: { shape: [2, 3], dtype: 'f32' as const } };
    const events = traceEvents([timing(5, 2, { bindings, mark: forward })], 'some GPU');
    const kernel = events.find(({ name }) => name === 'matmul')!;
    expect(kernel).toMatchObject({ ph: 'X', ts: 0, dur: 2000, cat: 'forward' });
    expect(kernel.args).toMatchObject({
      ...{ variant: 'matmul', shapes: { x: 'f32 [2, 3]' }, module: 'fc', flop: 1e6, bytes: 1e5 },
    });
    expect(events[0]).toMatchObject({ name: 'process_name', ph: 'M', args: { name: 'some GPU' } });
  });

  it('put kernels that overlap on tracks of their own', () => {
    const events = traceEvents([timing(0, 4), timing(2, 4), timing(4, 1), timing(4.5, 9)], 'x');
    expect(overlaps(events)).toEqual([]);
    expect(events.filter(({ name }) => name === 'matmul').map(({ tid, ts }) => [ts, tid])).toEqual([
      [0, 1],
      [2000, 2],
      [4000, 1],
      [4500, 3],
    ]);
    expect(traceEvents([], 'x').every(({ ph }) => ph === 'M')).toBe(true);
  });
});

describe('profile requests', () => {
  it('are for train alone', () => {
    expect(() => checkRequest({ op: 'pool', profile: true })).toThrow(
      'bench pool: --profile does not apply, it is there for train',
    );
    expect(() => checkRequest({ op: 'matmul', traceFile: 'a.json' })).toThrow('--trace-file');
    checkRequest({ op: 'train', profile: true, traceFile: 'a.json' });
  });
});

describe('the profile of a training step', () => {
  let device: Device;
  let found: TrainingMeasurement;
  let events: TraceEvent[];
  const folder = mkdtempSync(join(tmpdir(), 'tilegrad-profile-'));
  const traceFile = join(folder, 'step.json');
  const request = { op: 'train', suite: 'mnist-cnn', shape: '2,12,12,1,4', profile: true } as const;

  beforeAll(async () => {
    device = await testDevice();
    const options = device.runtime.hasTimestamps ? { traceFile } : {};
    found = await measureTraining(device, { ...request, ...options }, PEAK, () => undefined);
    if (device.runtime.hasTimestamps) events = JSON.parse(readFileSync(traceFile, 'utf8'));
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it('explains the wall clock, and knows directions and modules', ({ skip }) => {
    skip(!device.runtime.hasTimestamps, 'no timestamp-query on this adapter');
    const { profile, step: report } = found;
    expect(profile!.reduce((sum, row) => sum + row.percentOfStep, 0)).toBeCloseTo(100, 6);
    expect(profile!.map(({ phase }) => phase)).toEqual(
      expect.arrayContaining(['forward', 'backward', null]),
    );
    const account = report!.account!;
    const parts = account.kernelMs + account.gapMs + account.copyMs + account.waitMs;
    expect((100 * parts) / account.wallMs).toBeCloseTo(account.percentExplained, 6);
    expect(account.percentExplained).toBeGreaterThan(20);
    expect(account.percentExplained).toBeLessThan(101);
    expect(account.dispatches).toBe(report!.host.dispatches);
    expect(account.dispatches).toBe(profile!.reduce((sum, { count }) => sum + count, 0));
    const layer = report!.modules.find(({ module }) => module !== null)!;
    expect(Math.min(layer.forwardMs, layer.backwardMs)).toBeGreaterThan(0);
  });

  it('writes a trace whose events follow each other on each track', ({ skip }) => {
    skip(!device.runtime.hasTimestamps, 'no timestamp-query on this adapter');
    expect(overlaps(events)).toEqual([]);
    const kernels = events.filter(({ ph, tid }) => ph === 'X' && tid > 0);
    const steps = kernels.length / found.step!.host.dispatches;
    expect(Number.isInteger(steps)).toBe(true);
    expect(steps).toBeGreaterThanOrEqual(1);
    for (const { dur, args } of kernels) {
      expect(dur).toBeGreaterThanOrEqual(0);
      expect(Object.keys(args)).toEqual(expect.arrayContaining(['variant', 'shapes', 'flop']));
    }
  });

  it('measures the host and bounds the memory', () => {
    const { host, memory, notes } = found.step!;
    expect(notes).toEqual([]);
    expect(host.replayMs).toBeGreaterThan(0);
    expect(host.submitMs).toBeGreaterThan(0);
    expect(host.recordMs).toBeGreaterThan(0);
    expect(memory.lastingBytes).toBeGreaterThan(4 * found.training.parameters);
    expect(memory.boundBytes).toBeGreaterThan(memory.lastingBytes);
    expect(memory.boundBytes).toBeLessThanOrEqual(memory.peakBytes);
    // Replays do without buffers that the capture had: what is held may be less than the peak.
    expect(memory.heldBytes).toBeGreaterThan(memory.lastingBytes);
  });

  it('is shown in a hundred columns, or as tables between tabs', () => {
    const lines = profileLines(found.profile, found.step, true).join('\n').split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(lines.join('\n')).toMatch(/times the bound/);
    for (const line of profileLines(found.profile, found.step, false)) {
      expect(line).toMatch(/^#|\t/);
    }
  });

  it('keeps to the wall clock where there are no timestamps, and says so', async () => {
    const other = await createDevice();
    try {
      Object.defineProperty(other.runtime, 'hasTimestamps', { value: false });
      const silent = (): void => undefined;
      const plain = await measureTraining(other, request, PEAK, silent);
      expect(plain.profile).toBeUndefined();
      expect(plain.step!.account).toBeNull();
      expect(plain.step!.host.replayMs).toBeGreaterThan(0);
      expect(plain.step!.notes.join()).toContain('has no timestamp queries');
      await expect(measureTraining(other, { ...request, traceFile }, PEAK, silent)).rejects.toThrow(
        '--trace-file needs timestamp queries',
      );
    } finally {
      other.destroy();
    }
  }, 60_000);
});
