import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { RunConfig } from '../../src/train/run_config.js';
import { folder, run } from './helpers.js';

async function writeImage(file: string, height: number, width: number): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  const create = { width, height, channels: 3, background: '#264' } as const;
  await sharp({ create }).toFile(file);
}

const train = (data: string, ...options: string[]) =>
  run('train', 'images', '--data', data, '--no-report', '--tensorboard', 'off', ...options);

describe('train images on a folder as people have it', () => {
  it('takes pictures of any size, broken ones among them, and says what it chose', async () => {
    const place = folder();
    const zip = join(place, 'zip');
    const data = join(zip, 'pets', 'pets');
    const sizes = [
      [1, 1],
      [40, 30],
      [30, 40],
      [300, 200],
      [33, 33],
    ] as const;
    for (const name of ['cat', 'dog']) {
      for (const [i, [height, width]] of sizes.entries()) {
        await writeImage(join(data, name, `${i}.png`), height, width);
      }
    }
    writeFileSync(join(data, 'cat', 'broken.jpg'), 'no picture');
    mkdirSync(join(data, 'cow'));
    mkdirSync(join(zip, '__MACOSX'));
    const out = join(place, 'run');
    const { code, stdout, stderr } = await train(zip, '--epochs', '2', '--out', out);
    expect(stderr).toContain(`note     ${zip}: holds one folder, ${data}: looked into that\n`);
    expect(stderr).toContain('class folders without images');
    expect(stderr).toContain('broken.jpg: expected the content of JPEG');
    expect(stderr).toContain(
      'note     pictures of 1×1 to 300×200 are brought to 32×32 (--input)\n' +
        'note     chosen for 10 images: --batch-size 8 --augment flip,',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^validation: loss [\d.]+, accuracy [\d.]+ % of 2 images: ±\d+ points/m);
    const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as RunConfig;
    expect(config).toMatchObject({ input: [32, 32, 3], epochs: 2, batchSize: 8 });
    expect(config).toMatchObject({ model: 'compact-resnet', validationShare: 0.2 });
  });

  it('takes one number for the size', async () => {
    const place = folder();
    for (const name of ['a/1', 'a/2', 'b/1', 'b/2']) {
      await writeImage(join(place, 'data', `${name}.png`), 5, 5);
    }
    const out = join(place, 'run');
    const ways = ['--model', 'mlp', '--epochs', '1', '--input', '8', '--out', out];
    const { code, stderr } = await train(join(place, 'data'), ...ways);
    expect(stderr).toContain('images of 8×8×3');
    expect(stderr).not.toContain('--input');
    expect(code).toBe(0);
  });
});
