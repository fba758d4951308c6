import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.js';
import { folder, run } from './helpers.js';

const tiny = [
  ...['train', 'mnist', '--data', 'builtin:digits', '--limit', '64', '--model', 'mlp'],
  ...['--tensorboard', 'off', '--no-report'],
];

describe('a run whose loss becomes NaN', () => {
  it('ends with 1 where only the validation after the last step shows it', async () => {
    const out = join(folder(), 'run');
    const { code, stdout, stderr } = await run(
      ...[...tiny, '--epochs', '1', '--batch-size', '64', '--optimizer', 'sgd'],
      ...['--lr', '1e20', '--schedule', 'constant', '--json', '--out', out],
    );
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(
      /\ntilegrad: train: the validation loss is not finite after step 1 \(epoch 1\), learning rate 1e\+20, first in \d \(Dense\); these weights were not saved\nfix: begin a new run with a lower learning rate: --lr 0\.01\n$/,
    );
    expect(existsSync(join(out, 'last.safetensors'))).toBe(false);
    expect(existsSync(join(out, 'best.safetensors'))).toBe(false);
  }, 60_000);

  it('leads out by the command that its error names', async () => {
    const out = join(folder(), 'run');
    const rates = ['--optimizer', 'sgd', '--schedule', 'per-epoch:0.01,1e30'];
    const failed = await run(
      ...tiny,
      '--batch-size',
      '32',
      '--epochs',
      '3',
      ...rates,
      '--out',
      out,
    );
    expect(failed.code).toBe(1);
    const advised =
      /\nfix: continue from the checkpoint at epoch 2, batch 1 with a lower learning rate: tilegrad (train --resume .+ --lr 0\.01)\n$/.exec(
        failed.stderr,
      );
    expect(advised, failed.stderr).not.toBeNull();
    const led = await run(...advised![1].split(' '), '--json', '--no-report');
    expect(led.code).toBe(0);
    const { epochs } = JSON.parse(led.stdout) as { epochs: Record<string, number>[] };
    expect(epochs.map(({ learningRate }) => learningRate)).toEqual([0.01, 0.01, 0.01]);
    for (const { loss, valLoss } of epochs) expect(loss + valLoss).toBeLessThan(100);
  }, 90_000);
});

describe('weights that are not finite', () => {
  let out: string;
  let image: string;
  beforeAll(async () => {
    out = join(folder(), 'run');
    expect((await run(...tiny, '--epochs', '1', '--out', out)).code).toBe(0);
    for (const name of ['last', 'best']) {
      const path = join(out, `${name}.safetensors`);
      const file = readSafetensors(path);
      (file.tensors.get('2.weight')!.data as Float32Array)[7] = NaN;
      writeSafetensors(path, file);
    }
    image = join(folder(), 'digit.png');
    const raw = { width: 28, height: 28, channels: 1 as const };
    await sharp(Buffer.alloc(784, 90), { raw }).png().toFile(image);
  }, 60_000);

  const commands: [string, (run: string) => string[]][] = [
    ['predict', (run) => ['predict', run, image]],
    ['predict --json', (run) => ['predict', run, image, '--json']],
    ['evaluate', (run) => ['evaluate', run, '--data', 'builtin:digits', '--json']],
    [
      'export',
      (run) => ['export', run, '--format', 'pytorch', '--out', join(folder(), 'x.safetensors')],
    ],
    ['train --init-from', (run) => [...tiny, '--init-from', run, '--out', join(folder(), 'x')]],
    ['train --resume', (run) => ['train', '--resume', run, '--epochs', '2', '--lr', '1e-4']],
  ];
  it.each(commands)('%s says so and ends with 1', async (_title, args) => {
    const where = join(folder(), 'run');
    cpSync(out, where, { recursive: true });
    const before = readFileSync(join(where, 'last.safetensors'));
    const { code, stdout, stderr } = await run(...args(where));
    expect(stderr).toContain('.safetensors: the weights are not finite: 2.weight holds NaN');
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(readFileSync(join(where, 'last.safetensors')).equals(before)).toBe(true);
  });
});
