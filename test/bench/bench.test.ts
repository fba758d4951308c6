import { describe, expect, it } from 'vitest';
import { ratesOf, withRatios } from '../../src/bench/numbers.js';
import { parseAnswer } from '../../src/bench/peer_process.js';
import { checkRequest, directionsOf } from '../../src/bench/request.js';
import { convolutionWords, parseShape, shapesOf } from '../../src/bench/shapes.js';
import { suites } from '../../src/bench/suites.js';
import { formatReport } from '../../src/bench/table.js';
import type { BenchDocument, BenchRequest, BenchRow } from '../../src/bench/types.js';
import { UsageError } from '../../src/errors.js';
import { median, runsWithin } from '../../src/gpu/timing.js';
import { firstDifference } from '../../src/kernels/lib/accuracy.js';

function row(changes: Partial<BenchRow>): BenchRow {
  return {
    ...{ op: 'conv2d', shape: '1,4,4,8,8,3,1', direction: 'forward', variant: 'naive' },
    ...{ dtype: 'f32', ms: 1, gflops: 1, gbps: 1, percentOfPeak: 10, ratioToBest: null },
    ...{ engine: 'tilegrad', isChosen: false, runs: 5, ...changes },
  };
}

describe('bench arithmetic', () => {
  it('gives rates and the share of the limit that binds', () => {
    const peak = { gflops: 100, gbps: 10 };
    const compute = ratesOf(2, { flops: 100e6, bytes: 2e6 }, peak);
    expect(compute).toEqual({ ms: 2, gflops: 50, gbps: 1, percentOfPeak: 50 });
    expect(ratesOf(2, { flops: 2e6, bytes: 10e6 }, peak).percentOfPeak).toBe(50);
  });

  it('takes ratios within a shape and direction, and leaves wrong kernels out', () => {
    const rows = withRatios([
      row({ ms: 6 }),
      row({ direction: 'grad-input', ms: 1 }),
      row({ variant: 'wrong', ms: null }),
      row({ variant: '–', ms: 3, engine: 'tfjs' }),
      row({ shape: '2,4,4,8,8,3,1', ms: 9 }),
    ]);
    expect(rows.map(({ ratioToBest }) => ratioToBest)).toEqual([2, null, 1, 1, 1]);
    expect(rows.map(({ engine }) => engine)[2]).toBe('tfjs');
    expect(rows[3].direction).toBe('grad-input');
  });

  it('takes medians and fits runs into a budget', () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect([runsWithin(200, 1), runsWithin(200, 0.1), runsWithin(200, 100)]).toEqual([100, 100, 5]);
    expect(runsWithin(200, 5000)).toBe(3);
  });

  it('names the first difference, NaN and missing values included', () => {
    const want = Float32Array.of(1, 2, 3);
    expect(firstDifference(Float32Array.of(1, 2.01, 3), want, 0.02)).toBeNull();
    expect(firstDifference(Float32Array.of(1, 2.5, 3), want, 0.02)).toBe(
      'element 1 is 2.5, the naive kernel has 2, allowed ±2.0e-2',
    );
    expect(firstDifference(Float32Array.of(1, NaN, 3), want, 0.02)).toContain('element 1 is NaN');
    expect(firstDifference(Float32Array.of(1), want, 0.02)).toBe('1 values, expected 3');
  });
});

describe('bench shapes', () => {
  it('reads a shape in the order of its letters', () => {
    expect(parseShape('conv2d', '8,16,16,3,32,5,2')).toEqual([8, 16, 16, 3, 32, 5, 2]);
    for (const text of ['8,16', '8,16,16,3,32,5,0', '8,16,16,3,32,,1', 'a,b,c,d,e,f,g']) {
      expect(() => parseShape('conv2d', text)).toThrow(
        'bench conv2d: --shape takes 7 positive whole numbers N,H,W,C,K,R,stride, got ',
      );
    }
  });

  it('reads the words after the numbers of a convolution', () => {
    expect(convolutionWords('8,16,16,4,32,5,2')).toEqual({ padding: 'same', isDepthwise: false });
    const valid = '8,16,16,4,8,5,2, depthwise ,valid';
    expect(convolutionWords(valid)).toEqual({ padding: 'valid', isDepthwise: true });
    expect(convolutionWords('8,16,16,4,32,5,2,pad3').padding).toBe(3);
    expect(shapesOf('conv2d', { shape: '8, 16,16,4,32,5,2,same' }, true)).toEqual([
      '8,16,16,4,32,5,2',
    ]);
    const refused: [string, string][] = [
      ['8,16,16,4,32,5,2,padded', '"padded" in --shape "8,16,16,4,32,5,2,padded" is unknown'],
      ['8,16,16,4,32,5,2,valid,pad1', 'says the same thing twice'],
      ['8,16,16,4,6,5,2,depthwise', 'filters that are a multiple of C, got C=4 and K=6'],
    ];
    for (const [text, problem] of refused) {
      expect(() => parseShape('conv2d', text)).toThrow(UsageError);
      expect(() => parseShape('conv2d', text)).toThrow(problem);
    }
    expect(() => parseShape('pool', '8,16,16,4,3,2,valid')).toThrow('takes 6 positive whole');
  });

  it('has the shapes of ResNet-50 at 224 pixels, each once', () => {
    const shapes = suites.conv2d.resnet;
    expect(new Set(shapes).size).toBe(shapes.length);
    for (const shape of [
      '8,224,224,3,64,7,2',
      '8,56,56,64,64,3,1',
      '8,56,56,128,128,3,2',
      '8,28,28,512,1024,1,2',
      '8,7,7,2048,512,1,1',
      '64,32,32,3,64,7,2',
    ]) {
      expect(shapes).toContain(shape);
    }
  });

  it('chooses the small suite on a software adapter, and names the suites there are', () => {
    expect(shapesOf('conv2d', {}, true)).toBe(suites.conv2d.quick);
    expect(shapesOf('conv2d', {}, false)).toBe(suites.conv2d.resnet);
    expect(() => shapesOf('pool', { suite: 'nothing' }, true)).toThrow(
      'bench pool: no suite named "nothing"; there are quick, resnet, mnist',
    );
  });
});

describe('bench requests', () => {
  const refused: [BenchRequest, string][] = [
    [{ op: 'pool', tune: true }, 'bench pool: --tune does not apply'],
    [{ op: 'conv2d', suite: 'facts', shape: '1,4,4,8,8,3,1' }, 'exclude each other'],
    [{ op: 'conv2d', suite: 'toString' }, 'no suite named "toString"'],
    [{ op: 'pool', direction: 'grad-weight' }, 'there is no direction grad-weight'],
    [{ op: 'train', direction: 'forward' }, '--direction does not apply'],
    [{ op: 'optimizer', direction: 'forward' }, '--direction does not apply'],
    [{ op: 'train', variant: 'naive' }, '--variant does not apply'],
    [{ op: 'optimizer', dtype: 'f16' }, 'there are no f16 kernels'],
    [{ op: 'matmul', against: ['tfjs'] }, '--against is there for conv2d and train only'],
    [{ op: 'conv2d', dtype: 'f16', against: ['tfjs'] }, '--against measures f32 only'],
    [{ op: 'conv2d', variant: 'fastest' }, 'no kernel is named "fastest"; there are naive, tiled'],
    [{ op: 'train', scale: 'small' }, '--scale does not apply'],
    [{ op: 'pool', scale: 'small', shape: '1,4,4,8,2,2' }, '--scale shrinks suites'],
    [{ op: 'optimizer', explain: true }, '--explain does not apply'],
    [{ op: 'matmul', shape: '1,2' }, '--shape takes 3 positive whole numbers M,K,N'],
  ];
  it.each(refused)('refuses %j', (request, text) => {
    expect(() => checkRequest(request)).toThrow(UsageError);
    expect(() => checkRequest(request)).toThrow(text);
  });

  it('takes what fits', () => {
    checkRequest({ op: 'conv2d', suite: 'mnist', direction: 'all', variant: 'all', dtype: 'f32' });
    checkRequest({ op: 'train', suite: 'mnist-cnn', shape: '8,28,28,1,10' });
    expect(directionsOf(['forward', 'grad-input'], 'all')).toEqual(['forward', 'grad-input']);
    expect(directionsOf(['forward', 'grad-input'], 'grad-input')).toEqual(['grad-input']);
  });
});

describe('bench output', () => {
  const document: BenchDocument = {
    ...{ adapter: 'llvmpipe', isSoftware: true, timing: 'timestamp-query' },
    peak: { gflops: 100, gbps: 10 },
    results: [
      row({ shape: '8,112,112,1024,2048,3,2', direction: 'grad-weight', variant: 'winograd4' }),
      row({ ms: 12345.678, gflops: 12345.678, gbps: 1234.5, ratioToBest: 1234.5, isChosen: true }),
      row({ engine: 'tfjs-webgpu 4.22.0', variant: '–', note: 'wall clock '.repeat(20) }),
      row({ ms: null, problem: 'wrong: element 3 is NaN' }),
    ],
  };

  it('fits a hundred columns on a terminal', () => {
    const lines = formatReport(document, true).join('\n').split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(lines.join('\n')).toContain('timings are not meaningful for GPUs');
    expect(lines.find((line) => line.startsWith('shape  '))).toContain('N,H,W,C,K,R,stride of f32');
    expect(lines.some((line) => line.includes('naive *'))).toBe(true);
    expect(lines.at(-1)).toContain('wrong: element 3 is NaN');
  });

  it('separates by tabs in a pipe, with remarks behind #', () => {
    const lines = formatReport(document, false);
    const table = lines.filter((line) => !line.startsWith('#'));
    expect(table).toHaveLength(5);
    expect(table[0].split('\t')).toEqual([
      ...['shape', 'direction', 'variant', 'dtype', 'ms', 'GFLOP/s', 'GB/s', '% peak'],
      ...['ratio', 'engine'],
    ]);
    expect(new Set(table.map((line) => line.split('\t').length))).toEqual(new Set([10]));
  });
});

describe('answers of a peer', () => {
  it('are lines of JSON with an engine, or the end; all else is passed over', () => {
    const answer = { engine: 'x 1', adapter: 'a', ms: 1, runs: 5 };
    expect(parseAnswer(JSON.stringify(answer))).toEqual(answer);
    expect(parseAnswer('{"done":true}')).toBe('done');
    for (const other of ['', 'hello', '{ not JSON', '{"level":"info"}']) {
      expect(parseAnswer(other)).toBeNull();
    }
  });
});
