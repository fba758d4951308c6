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
        'note     chosen for 10 images: --batch-size 8 --checkpoint last --augment flip,',
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

describe('one checkpoint everywhere', () => {
  it('is judged, reported and taken by evaluate, predict and export; --checkpoint has the other', async () => {
    const place = folder();
    const data = join(place, 'data');
    for (const [k, name] of ['a', 'b'].entries()) {
      for (let i = 0; i < 6; i++) {
        const file = join(data, name, `${i}.png`);
        mkdirSync(dirname(file), { recursive: true });
        const background = { r: 60 * k + 20 * i, g: 90, b: 200 - 60 * k };
        const create = { width: 6, height: 6, channels: 3, background } as const;
        await sharp({ create }).toFile(file);
      }
    }
    const out = join(place, 'run');
    // Ever worse: the first epoch is the best, the last another.
    const ways = ['--model', 'mlp', '--input', '6', '--epochs', '3', '--lr', '0.3'];
    const judged = ['--checkpoint', 'best', '--best-by', 'loss', '--validation-share', '0.34'];
    const trained = await train(data, ...ways, ...judged, '--out', out, '--json');
    expect(trained.code).toBe(0);
    const { checkpoint, epochs } = JSON.parse(trained.stdout) as {
      checkpoint: { name: string; epoch: number };
      epochs: { epoch: number; valLoss: number }[];
    };
    const best = epochs.reduce((a, b) => (b.valLoss < a.valLoss ? b : a));
    expect(checkpoint).toEqual({ name: 'best', epoch: best.epoch });

    const weightsOf = async (...options: string[]): Promise<string> => {
      const { stdout } = await run('evaluate', out, '--data', data, '--json', ...options);
      return (JSON.parse(stdout) as { weights: string }).weights;
    };
    expect(await weightsOf()).toBe(join(out, `best.safetensors, epoch ${best.epoch}`));
    expect(await weightsOf('--checkpoint', 'last')).toBe(join(out, 'last.safetensors, epoch 3'));
    const saved = join(place, 'x.safetensors');
    const exported = await run('export', out, '--format', 'tilegrad', '--out', saved);
    expect(exported.stdout).toContain(`best.safetensors, epoch ${best.epoch}\n`);
    const file = join(out, 'last.safetensors');
    const refused = await run('evaluate', file, '--data', data, '--checkpoint', 'best');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('is a file')]);

    writeFileSync(join(data, 'b', 'broken.png'), 'no picture');
    const table = join(place, 'answers.csv');
    const answered = await run(
      'predict',
      out,
      join(data, 'b'),
      '--csv',
      table,
      '--checkpoint',
      'last',
    );
    expect(answered.code).toBe(1);
    expect(answered.stderr).toContain('last.safetensors, epoch 3\n');
    expect(answered.stderr).toContain(`skipped  ${join(data, 'b', 'broken.png')}: broken image`);
    expect(answered.stdout.trim().split('\n')).toHaveLength(6);
    const rows = readFileSync(table, 'utf8').trim().split('\n');
    expect([rows[0], rows.length]).toEqual(['file,rank,class,probability', 13]);
  });
});
