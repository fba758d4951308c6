import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BenchCase } from '../../src/bench/case.js';
import { measureCase } from '../../src/bench/measure_case.js';
import { runBench } from '../../src/bench/run.js';
import { saveReport } from '../../src/bench/save.js';
import type { BenchDocument, BenchRequest } from '../../src/bench/types.js';
import type { Device } from '../../src/device.js';
import { DataError } from '../../src/errors.js';
import { fillArray } from '../../src/kernels/fill.js';
import { testDevice } from '../helpers/device.js';

let device: Device;
let folder: string;
beforeAll(async () => {
  device = await testDevice();
  folder = mkdtempSync(join(tmpdir(), 'tilegrad-bench-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const said: string[] = [];
const bench = async (request: BenchRequest): Promise<BenchDocument> => {
  said.length = 0;
  const { document, isRight } = await runBench(device, request, (text) => said.push(text));
  expect(document.results.map(({ problem }) => problem)).toEqual(
    document.results.map(() => undefined),
  );
  expect(isRight).toBe(true);
  for (const row of document.results) {
    expect(row.ms).toBeGreaterThan(0);
    expect(row.gflops).toBeGreaterThan(0);
    expect(row.gbps).toBeGreaterThan(0);
    expect(row.percentOfPeak).toBeGreaterThan(0);
    expect(row.ratioToBest).toBeGreaterThanOrEqual(1);
    expect(row.engine).toBe('tilegrad');
  }
  return document;
};

/** Each kernel is compiled first, which a busy machine without a GPU does slowly. */
const SLOW = 120_000;

describe('bench measures', () => {
  it(
    'conv2d in all directions, naive first, one kernel chosen in each',
    async () => {
      const before = device.memory.liveBuffers;
      const document = await bench({ op: 'conv2d', shape: '2,8,8,8,8,3,1' });
      expect(document.adapter).toBe(device.info.description);
      expect(document.peak.gflops).toBeGreaterThan(0);
      expect(document.peak.gbps).toBeGreaterThan(0);
      for (const direction of ['forward', 'grad-input', 'grad-weight']) {
        const rows = document.results.filter((row) => row.direction === direction);
        expect(rows[0].variant).toBe('naive');
        expect(rows.filter(({ isChosen }) => isChosen)).toHaveLength(1);
        expect(Math.min(...rows.map(({ ratioToBest }) => ratioToBest!))).toBe(1);
      }
      const [first] = document.results;
      expect(first).toMatchObject({ op: 'conv2d', shape: '2,8,8,8,8,3,1', dtype: 'f32' });
      // 2·N·P·Q·K·R·S·C FLOP in the measured time.
      expect(first.gflops! * first.ms! * 1e6).toBeCloseTo(2 * 2 * 64 * 8 * 9 * 8, 0);
      if (device.info.isSoftware) expect(said[0]).toContain('timings are not meaningful for GPUs');
      await device.sync();
      expect(device.memory.liveBuffers).toBe(before);
    },
    SLOW,
  );

  it(
    'one variant alone, and names those there are for another',
    async () => {
      const shape = '1,5,5,3,4,3,2';
      const { results } = await bench({
        op: 'conv2d',
        shape,
        direction: 'forward',
        variant: 'naive',
      });
      expect(results.map(({ variant }) => variant)).toEqual(['naive']);
      await expect(bench({ op: 'conv2d', shape, variant: 'no-such' })).rejects.toThrow(
        /^bench conv2d: no kernel is named "no-such"; there are naive/,
      );
    },
    SLOW,
  );

  it(
    'a kernel that does not fit, with the reason, and goes on with the shapes it fits',
    async () => {
      const request: BenchRequest = { op: 'conv2d', shape: '1,5,5,3,4,3,2', direction: 'forward' };
      await expect(bench({ ...request, variant: 'matmul' })).rejects.toThrow(
        /^bench conv2d: no kernel named "matmul" for these shapes, it needs a 1×1 filter, got 3×3; there are naive/,
      );
      expect(said).toContainEqual(
        expect.stringMatching(
          /^ {2}matmul does not fit, it needs a 1×1 filter, got 3×3; there are /,
        ),
      );
    },
    SLOW,
  );

  it(
    'the kernel that runs unasked, and what bounds it',
    async () => {
      const request = { op: 'conv2d', shape: '1,8,8,8,8,3,1', direction: 'forward' } as const;
      const { results, peak } = await bench({ ...request, variant: 'chosen', explain: true });
      expect(results.map(({ isChosen }) => isChosen)).toEqual([true]);
      const [{ explain, ms }] = results;
      expect(explain).toMatchObject({ flops: 2 * 64 * 8 * 72, bytes: 4 * (512 + 576 + 512) });
      const limit = Math.max(explain!.flops / peak.gflops, explain!.bytes / peak.gbps) / 1e6;
      expect(explain!.limitMs).toBeCloseTo(limit, 9);
      expect(explain!.percentOfLimit).toBeCloseTo((100 * limit) / ms!, 6);
      expect(explain!.dispatches.length).toBeGreaterThan(0);
      for (const dispatch of explain!.dispatches) {
        expect(dispatch.workgroups * dispatch.workgroupSize).toBeGreaterThan(0);
        if (device.runtime.hasTimestamps) expect(dispatch.ms).toBeGreaterThan(0);
      }
    },
    SLOW,
  );

  it('no f16 where the adapter has none: one line says so', async () => {
    const info = { ...device.info, features: [] };
    const bare = Object.create(device, { info: { value: info } }) as Device;
    const request: BenchRequest = { op: 'matmul', shape: '4,8,8', dtype: 'f16' };
    await expect(runBench(bare, request, () => undefined)).rejects.toThrow(
      `bench: ${info.description} has no shader-f16\nfix: use --dtype f32, or another adapter`,
    );
  });

  it(
    'what was tuned first, as the kernel chosen unasked',
    async () => {
      const request: BenchRequest = { op: 'matmul', shape: '9,16,12', direction: 'forward' };
      expect((await bench(request)).tuning).toBeUndefined();
      const { tuning, results } = await bench({ ...request, tune: true });
      expect(tuning!.kernels).toHaveLength(1);
      expect(tuning!.ms).toBeGreaterThan(0);
      const chosen = results.filter(({ isChosen }) => isChosen);
      expect(chosen.map(({ variant }) => variant)).toEqual([tuning!.kernels[0].chosen]);
      device.runtime.choices.replace({});
    },
    SLOW,
  );

  it.each<BenchRequest>([
    { op: 'matmul', shape: '9,16,12' },
    { op: 'batch-norm', shape: '2,4,4,8' },
    { op: 'pool', shape: '2,7,7,4,3,2' },
    { op: 'reduce', shape: '2,300,4' },
    { op: 'softmax-cross-entropy', shape: '6,5' },
  ])(
    '$op',
    async (request) => {
      const { results } = await bench(request);
      const directions = request.op === 'matmul' ? 3 : 2;
      expect(new Set(results.map(({ direction }) => direction)).size).toBe(directions);
    },
    SLOW,
  );

  it(
    'f16 where the op has it, and refuses it elsewhere',
    async () => {
      if (!device.info.features.includes('shader-f16')) {
        await expect(bench({ op: 'matmul', shape: '4,8,8', dtype: 'f16' })).rejects.toThrow(
          /has no shader-f16/,
        );
        return;
      }
      const { results } = await bench({
        ...{ op: 'matmul', shape: '4,8,8', dtype: 'f16', direction: 'forward' },
      });
      expect(results.every(({ dtype }) => dtype === 'f16')).toBe(true);
      await expect(bench({ op: 'pool', shape: '1,4,4,4,2,2', dtype: 'f16' })).rejects.toThrow(
        'bench pool: there are no f16 kernels',
      );
    },
    SLOW,
  );

  it(
    'every optimizer, its first step compared with the formula',
    async () => {
      const { results } = await bench({ op: 'optimizer', shape: '3,100' });
      expect(results.map(({ variant }) => variant)).toEqual([
        ...['sgd', 'sgd-momentum', 'adam', 'adamw', 'rmsprop'],
      ]);
    },
    SLOW,
  );

  it(
    'training steps with a profile',
    async () => {
      const document = await bench({ op: 'train', shape: '2,8,8,1,3' });
      expect(document.training).toMatchObject({
        model: 'mnist-cnn',
        batchSize: 2,
        input: [8, 8, 1],
      });
      const { firstStepMs, stepMs, imagesPerSecond } = document.training!;
      expect(firstStepMs).toBeGreaterThan(0);
      expect(imagesPerSecond).toBeCloseTo(2000 / stepMs, 6);
      if (!device.runtime.hasTimestamps) return;
      const share = document.profile!.reduce((sum, { percentOfStep }) => sum + percentOfStep, 0);
      expect(share).toBeCloseTo(100, 6);
      expect(document.profile!.some(({ op }) => op === 'conv2d forward')).toBe(true);
    },
    SLOW,
  );
});

describe('a kernel that differs from the naive one', () => {
  const caseOf = (wrongValue: number): BenchCase => ({
    ...{ op: 'conv2d', shape: 'made up', direction: 'forward', dtype: 'f32' },
    cost: { flops: 1, bytes: 1 },
    open: ({ runtime }) => ({
      variants: [
        { name: 'naive', option: 'naive' },
        { name: 'other', option: 'other' },
      ],
      // Sizes differ, so that the two count as different kernels.
      run: (variant) =>
        variant?.name === 'other'
          ? [fillArray(runtime, [100], 'f32', wrongValue)]
          : [fillArray(runtime, [100], 'f32', 1), fillArray(runtime, [1], 'f32', 1)].slice(0, 1),
      operands: {},
      allowed: () => 0.25,
      close: () => undefined,
    }),
  });
  const settings = { variant: undefined, peak: { gflops: 1, gbps: 1 }, isWallClock: true };

  it('is marked wrong and not timed', async () => {
    const { rows } = await measureCase(device, caseOf(1.5), settings);
    expect(rows.map(({ variant }) => variant)).toEqual(['naive', 'other']);
    expect(rows[0].ms).toBeGreaterThan(0);
    expect(rows[1]).toMatchObject({ ms: null, gflops: null, ratioToBest: null, runs: 0 });
    expect(rows[1].problem).toBe(
      'wrong: element 0 is 1.5, the naive kernel has 1, allowed ±2.5e-1',
    );
  });

  it('is timed within the bound', async () => {
    const { rows } = await measureCase(device, caseOf(1.125), settings);
    expect(rows[1].problem).toBeUndefined();
    expect(rows[1].ms).toBeGreaterThan(0);
  });
});

describe('saved measurements', () => {
  const document: BenchDocument = {
    ...{ adapter: 'a', isSoftware: true, timing: 'wall clock' },
    ...{ peak: { gflops: 1, gbps: 1 }, results: [] },
  };

  it('hold driver, versions, commit and date beside the document', () => {
    const path = join(folder, 'deep', 'result.json');
    saveReport(path, document, device.runtime);
    const saved = JSON.parse(readFileSync(path, 'utf8'));
    expect(saved).toMatchObject({ ...document, node: process.version });
    expect(saved.driver).toContain(device.runtime.adapter.info.vendor);
    expect(Number.isNaN(Date.parse(saved.date))).toBe(false);
    expect(saved.commit === null || /^[0-9a-f]{12}/.test(saved.commit)).toBe(true);
    expect(readdirSync(join(folder, 'deep'))).toEqual(['result.json']);
  });

  it('say where they cannot be written', () => {
    const path = join(folder, 'deep', 'result.json', 'below-a-file.json');
    expect(() => saveReport(path, document, device.runtime)).toThrow(DataError);
  });
});
