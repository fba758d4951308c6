import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { trainerCommands, type PeerCommands } from '../../src/bench/peers.js';
import { checkRequest } from '../../src/bench/request.js';
import { runBench } from '../../src/bench/run.js';
import { formatReport } from '../../src/bench/table.js';
import { allowedBy, compareLosses } from '../../src/bench/training_losses.js';
import type { PeerName } from '../../src/bench/types.js';
import { testDevice } from '../helpers/device.js';

const SLOW = 240_000;
const SHAPE = '3,8,8,1,4';
const fake = (behaviour: string) =>
  [
    process.execPath,
    fileURLToPath(new URL('fake_trainer.mjs', import.meta.url)),
    behaviour,
  ] as const;

async function bench(against: readonly PeerName[], changes: Partial<PeerCommands>) {
  const device = await testDevice();
  const said: string[] = [];
  const request = { op: 'train', shape: SHAPE, against } as const;
  const commands = { ...trainerCommands, ...changes };
  const report = await runBench(device, request, (text) => void said.push(text), commands);
  const peers = report.document.results.filter(({ engine }) => engine !== 'tilegrad');
  return { ...report, said, peers };
}

describe('another engine that trains', () => {
  it(
    'gets our weights, batch and optimizer, and its losses agree with ours',
    async () => {
      const { document, peers, isRight } = await bench(['tfjs'], { tfjs: fake('agree') });
      expect([peers[0].problem, isRight]).toEqual([undefined, true]);
      // float64 loops against f32 kernels over eleven losses.
      expect(peers[0].relativeError).toBeLessThan(1e-4);
      expect(peers[0]).toMatchObject({ ms: 1e6, engine: 'fake 1.0', shape: SHAPE });
      expect(peers[0].note).toBe('on paper; memory: sheets of paper');
      expect(peers[0].training).toMatchObject({
        ...{ imagesPerSecond: 3e-3, firstStepMs: 2000, peakBytes: 3 * 2 ** 20 },
      });
      const own = document.results.find(({ engine }) => engine === 'tilegrad')!;
      const { losses, peakBytes, firstStepMs } = own.training!;
      expect(losses).toHaveLength(11);
      expect(losses!.at(-1)).toBeLessThan(losses![0]!);
      expect(Math.min(peakBytes!, firstStepMs!)).toBeGreaterThan(0);
      expect(own.note).toContain('dropout is off in every engine');
      const { lr, usualLr, optimizer, allowed } = document.comparison!.losses!;
      expect([optimizer, usualLr, allowed.length]).toEqual(['adam', 5e-4, 11]);
      expect(lr).toBeLessThanOrEqual(usualLr);
      // The rate is lowered until rounding counts for less than two thousandths.
      expect(Math.max(...allowed)).toBeLessThanOrEqual(9e-3 + 4 * allowed[0]);
      const lines = formatReport(document, true).join('\n').split('\n');
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
      const text = lines.join('\n');
      expect(text).toMatch(/engine +images\/s +ms a step +ratio +first step s +MiB +loss +error/);
      expect(text).toMatch(
        /fake 1\.0 +0\.003 +1000000 +\d+(\.\d+)? +2\.00 +3\.00 +\d\.\d+ +\d\.\de-\d/,
      );
      expect(text).toContain('times the speed of fake 1.0');
      const piped = formatReport(document, false).filter((line) => line.includes('\tfake 1.0\t'));
      expect(piped[0].split('\t').slice(0, 3)).toEqual([SHAPE, 'mnist-cnn', 'fake 1.0']);
    },
    SLOW,
  );

  it.each(['rate', 'bias', 'frozen'])(
    'of another network or rule is flagged and has no speed: %s',
    async (behaviour) => {
      const { document, peers, isRight } = await bench(['torch'], { torch: fake(behaviour) });
      expect(peers[0].problem).toMatch(
        /^disagrees with tilegrad: loss [\d.]+ (before any update|after \d+ of 10 updates), ours [\d.]+, relative error \d\.\de-\d, allowed \d\.\de-\d$/,
      );
      expect(peers[0].problem!.includes('before any update')).toBe(behaviour === 'bias');
      expect(peers[0]).toMatchObject({ ms: null, ratioToBest: null });
      expect(peers[0].training!.imagesPerSecond).toBeNull();
      expect(isRight).toBe(false);
      expect(document.comparison).toMatchObject({ geometricMean: null, count: 0 });
    },
    SLOW,
  );

  it(
    'that breaks down, gives no losses or has no training costs its row alone',
    async () => {
      const { said, peers, document } = await bench(['tfjs', 'jax-js', 'torch'], {
        ...{ tfjs: fake('nothing'), torch: ['no-such-program'] },
      });
      expect(said.slice(0, 2)).toEqual([
        'goes on without jax-js: it has no training here, only convolutions',
        'goes on without torch: no-such-program does not start: spawn no-such-program ENOENT',
      ]);
      expect(peers.map(({ problem }) => problem)).toEqual(['it gave no losses to compare']);
      expect(document.comparison!.missing.map(({ peer }) => peer)).toEqual(['jax-js', 'torch']);
      const broken = await bench(['tfjs'], { tfjs: fake('dies') });
      expect(broken.peers).toMatchObject([{ ms: null, problem: 'tfjs ended with 1: out of luck' }]);
      expect(broken.isRight).toBe(false);
    },
    SLOW,
  );

  const isInstalled = existsSync(
    new URL('../../bench/peers/node_modules/@tensorflow', import.meta.url),
  );
  it.skipIf(!isInstalled)(
    'agrees with ours: TensorFlow.js (needs npm install --prefix bench/peers)',
    async () => {
      const { peers } = await bench(['tfjs'], {});
      expect(peers.map(({ problem }) => problem)).toEqual([undefined]);
    },
    2 * SLOW,
  );

  it('must have the network', () => {
    expect(() => checkRequest({ op: 'train', suite: 'resnet18', against: ['torch'] })).toThrow(
      'bench train: other engines have no network "resnet18"; they have mnist-cnn, resnet101-v1, cifar-vgg',
    );
    expect(() => checkRequest({ op: 'train', dtype: 'f16', against: ['torch'] })).toThrow(
      '--against measures f32 only',
    );
    checkRequest({ op: 'train', suite: 'cifar-vgg', against: ['torch', 'tfjs'] });
  });
});

describe('losses', () => {
  const target = { losses: [4, 2, 1], allowed: [1e-3, 2e-3, 4e-3] };

  it('may each differ by what is allowed for them', () => {
    const near = compareLosses([4.003, 1.997, 1.003], target);
    expect(near.problem).toBeNull();
    expect(near.relativeError).toBeCloseTo(3e-3, 12);
    expect(compareLosses([4.006, 2, 1], target).problem).toBe(
      'disagrees with tilegrad: loss 4.006 before any update, ours 4, relative error 1.5e-3, allowed 1.0e-3',
    );
    expect(compareLosses([4, 2, 1.005], target).problem).toContain('after 2 of 10 updates');
  });

  it('must be numbers, and as many as ours', () => {
    expect(compareLosses([4, NaN, 1], target).problem).toContain('loss NaN after 1 of 10 updates');
    expect(compareLosses([4, 2], target).problem).toBe('gave 2 losses, we have 3');
  });

  it('are allowed four times the largest drift so far, and what rounding does at once', () => {
    expect(allowedBy([0, 2, 1, 4], 3)).toEqual([3, 11, 11, 19]);
  });
});
