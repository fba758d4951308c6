import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compareEngines, comparisonLines } from '../../src/bench/comparison.js';
import { opCases } from '../../src/bench/op_cases.js';
import { peerCommands } from '../../src/bench/peers.js';
import { openRecordCase } from '../../src/bench/record_runner.js';
import { runBench } from '../../src/bench/run.js';
import { formatReport } from '../../src/bench/table.js';
import type { BenchRequest, BenchRow } from '../../src/bench/types.js';
import { testDevice } from '../helpers/device.js';

const SLOW = 240_000;
const fake = (behaviour: string) =>
  [process.execPath, fileURLToPath(new URL('fake_peer.mjs', import.meta.url)), behaviour] as const;

async function bench(request: Omit<BenchRequest, 'op'>, commands = peerCommands) {
  const device = await testDevice();
  const said: string[] = [];
  const say = (text: string): void => void said.push(text);
  const report = await runBench(device, { op: 'conv2d', ...request }, say, commands);
  const peers = report.document.results.filter(({ engine }) => engine !== 'tilegrad');
  return { ...report, said, peers };
}

describe('other engines', () => {
  const shapes = [
    '2,5,6,3,4,3,1',
    '1,7,6,2,4,4,2,valid',
    '2,6,5,4,8,3,2,depthwise',
    '1,6,6,2,3,3,1,pad2',
  ];
  it.each(shapes)(
    'get our operands, random dy included, and agree: %s',
    async (shape) => {
      const commands = { ...peerCommands, tfjs: fake('agree') };
      const request = { shape, variant: 'chosen', against: ['tfjs' as const] };
      const { document, peers, isRight } = await bench(request, commands);
      expect(peers.map(({ problem }) => problem)).toEqual([undefined, undefined, undefined]);
      expect(isRight).toBe(true);
      for (const { relativeError, ms, engine } of peers) {
        // Both are sums of a few products in f32: right, and not the same array.
        expect(relativeError).toBeLessThan(1e-5);
        expect([ms, engine]).toEqual([1e6, 'fake 1.0']);
      }
      const { comparison } = document;
      expect(comparison).toMatchObject({ count: 3, slower: [], missing: [] });
      expect(comparison!.geometricMean).toBeGreaterThan(1);
      const lines = formatReport(document, true).join('\n');
      expect(lines).toContain('times the speed of the best other engine');
      expect(lines).toMatch(/fake 1\.0 .* \d\.\de-\d/);
    },
    SLOW,
  );

  it(
    'that disagree are flagged and have no speed',
    async () => {
      const commands = { ...peerCommands, tfjs: fake('wrong') };
      const request = { shape: '1,5,5,2,4,3,1', direction: 'grad-input' as const };
      const { document, peers, isRight } = await bench({ ...request, against: ['tfjs'] }, commands);
      expect(peers[0]).toMatchObject({ ms: null, ratioToBest: null });
      expect(peers[0].problem).toMatch(
        /^disagrees with tilegrad: relative error \d\.\de-\d, allowed \d\.\de-\d$/,
      );
      expect(isRight).toBe(false);
      expect(document.comparison).toMatchObject({ geometricMean: null, count: 0 });
    },
    SLOW,
  );

  it(
    'that are not installed are told of in one line, and the rest goes on',
    async () => {
      const commands = {
        ...peerCommands,
        tfjs: fake('missing'),
        torch: ['no-such-program'] as const,
      };
      const request: Omit<BenchRequest, 'op'> = {
        ...{ shape: '1,5,5,2,4,3,1', direction: 'forward', against: ['tfjs', 'torch'] },
      };
      const { document, said, isRight, peers } = await bench(request, commands);
      expect(said.slice(0, 2)).toEqual([
        'goes on without tfjs: its package cannot be found; to install it: install it',
        'goes on without torch: no-such-program does not start: spawn no-such-program ENOENT',
      ]);
      expect([isRight, peers]).toEqual([true, []]);
      expect(document.results.length).toBeGreaterThan(0);
      expect(document.comparison!.missing.map(({ peer }) => peer)).toEqual(['tfjs', 'torch']);
    },
    SLOW,
  );

  it(
    'that break down cost their case, and are started again for the next',
    async () => {
      const commands = { ...peerCommands, 'jax-js': fake('dies') };
      const request = { shape: '1,5,5,2,4,3,1', variant: 'chosen', against: ['jax-js' as const] };
      const { peers, isRight } = await bench(request, commands);
      expect(peers.map(({ problem }) => problem)).toEqual([
        ...[undefined, 'jax-js ended with 1: out of luck', undefined],
      ]);
      expect(isRight).toBe(false);
    },
    SLOW,
  );

  const isInstalled = existsSync(
    new URL('../../bench/peers/node_modules/@tensorflow', import.meta.url),
  );
  it.skipIf(!isInstalled)(
    'TensorFlow.js and jax-js agree in every direction (needs npm install --prefix bench/peers)',
    async () => {
      const against = ['tfjs', 'jax-js'] as const;
      const { peers } = await bench({ shape: '1,9,8,4,8,4,2,valid', variant: 'chosen', against });
      expect(peers).toHaveLength(6);
      expect(peers.map(({ problem }) => problem).filter(Boolean)).toEqual([]);
    },
    2 * SLOW,
  );
});

describe('operands', () => {
  it.each(['forward', 'grad-input', 'grad-weight'] as const)(
    'of %s are random',
    async (direction) => {
      const device = await testDevice();
      const runner = openRecordCase(
        device,
        opCases.conv2d.build('2,16,16,8,8,3,1', direction, 'f32'),
      );
      const names = direction === 'forward' ? ['x', 'w'] : ['x', 'w', 'dy'];
      expect(Object.keys(runner.operands)).toEqual(names);
      for (const array of Object.values(runner.operands)) {
        const values = new Float32Array(await device.runtime.read(array));
        const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
        const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
        expect(new Set(values).size).toBeGreaterThan(0.9 * values.length);
        expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(values.length));
        expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / values.length));
      }
      runner.close();
    },
  );
});

describe('the comparison', () => {
  const row = (changes: Partial<BenchRow>): BenchRow => ({
    ...{ op: 'conv2d', shape: 'a', direction: 'forward', variant: '–', dtype: 'f32' },
    ...{ ms: 1, gflops: 1, gbps: 1, percentOfPeak: 1, ratioToBest: null },
    ...{ engine: 'tilegrad', isChosen: false, runs: 5, ...changes },
  });
  const rows = [
    row({ ms: 2, isChosen: true }),
    row({ ms: 1, variant: 'faster, but not chosen' }),
    row({ ms: 8, engine: 'one' }),
    row({ ms: 32, engine: 'two' }),
    row({ ms: 0.1, engine: 'two reduced', isReduced: true }),
    row({ shape: 'b', ms: 4, isChosen: true }),
    row({ shape: 'b', ms: 1, engine: 'one' }),
    row({ shape: 'b', ms: null, engine: 'two', problem: 'disagrees' }),
  ];

  it('is of our chosen kernel with the best engine of each shape that gave a right result', () => {
    const comparison = compareEngines(rows, []);
    // 4 times faster in one place and 4 times slower in the other.
    expect(comparison.geometricMean).toBeCloseTo(1, 12);
    expect(comparison.count).toBe(2);
    expect(comparison.slower).toEqual([
      { shape: 'b', direction: 'forward', engine: 'one', ratio: 4 },
    ]);
    const means = comparison.engines.map(({ engine, geometricMean }) => [engine, geometricMean]);
    expect(means).toEqual([
      ['one', expect.closeTo(1, 12)],
      ['two', expect.closeTo(16, 12)],
      ['two reduced', expect.closeTo(0.05, 12)],
    ]);
  });

  it('is told in words', () => {
    const lines = comparisonLines(compareEngines(rows, [{ peer: 'torch', reason: 'not there' }]));
    expect(lines).toEqual([
      '1.00 times the speed of one, geometric mean of 2',
      '16.00 times the speed of two, geometric mean of 1',
      '0.05 times the speed of two reduced, geometric mean of 1 (operands of fewer bits, not counted below)',
      'torch was not measured: not there',
      '1.00 times the speed of the best other engine of each shape and direction, geometric mean of 2; another engine is faster in 1 of them',
      'one is 4.00 times as fast at b forward',
    ]);
  });
});
