import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folder, run } from './helpers.js';

describe('before the first step', () => {
  const resnet = [
    ...['train', 'mnist', '--model', 'resnet18', '--data', 'builtin:digits', '--no-report'],
    ...['--tensorboard', 'off', '--epochs', '1'],
  ];
  it('names the batch norm that would get single values, and what to change', async () => {
    const out = join(folder(), 'run');
    const args = ['--limit', '33', '--input', '8,8,1', '--batch-size', '32', '--out', out];
    const { code, stderr } = await run(...resnet, ...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /tilegrad: train: the last batch has 1 image, of which layer4\.0\.bn1 \(batchNorm\) gets one value a channel: .+\nfix: leave that batch out with --drop-last, or choose another --batch-size than 32\n$/,
    );
    expect(stderr).not.toContain('epoch 1/1');
    const led = await run(...resnet, ...args, '--drop-last');
    expect(led.code, led.stderr).toBe(0);
  }, 60_000);

  it('trains fewer images than a batch has as one batch', async () => {
    const args = ['--model', 'mlp', '--limit', '36', '--json', '--out', join(folder(), 'run')];
    const small = ['train', 'mnist', '--data', 'builtin:digits', '--epochs', '2', '--no-report'];
    const { code, stdout, stderr } = await run(...small, ...args);
    expect(stderr).toContain('note     the 36 training images are one batch: --batch-size 64\n');
    expect(code).toBe(0);
    const { epochs } = JSON.parse(stdout) as { epochs: { loss: number }[] };
    expect(epochs[1].loss).toBeLessThan(epochs[0].loss);
    const dropped = await run(
      ...small,
      '--limit',
      '36',
      '--drop-last',
      '--out',
      join(folder(), 'r'),
    );
    expect(dropped.code).toBe(1);
    expect(dropped.stderr).toMatch(
      /36 training images do not fill one batch .+\nfix: .+ or pass --no-/,
    );
  }, 60_000);
});
