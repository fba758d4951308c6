import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { folder, run } from './helpers.js';

function writeImage(file: string, mark: number, side = 4): void {
  mkdirSync(dirname(file), { recursive: true });
  const header = Buffer.from(`P6\n${side} ${side}\n255\n`);
  writeFileSync(file, Buffer.concat([header, Buffer.alloc(side * side * 3, mark)]));
}

const ways = ['--model', 'mlp', '--epochs', '1', '--batch-size', '2', '--no-report'];

describe('errors of data name options of the command line', () => {
  it('where images have two sizes', async () => {
    const data = folder();
    for (const name of ['a/1', 'a/2', 'b/1']) writeImage(join(data, `${name}.ppm`), 9);
    writeImage(join(data, 'b/2.ppm'), 9, 5);
    const preview = ['data', 'preview', data, '--out', join(data, 'preview.png')];
    expect((await run(...preview)).stderr).toContain('--input H,W,C');
    expect((await run(...preview, '--input', '4,4,3')).code).toBe(0);
  });

  it('where labels are beyond the classes', async () => {
    const data = folder();
    writeFileSync(join(data, 'train.csv'), '24,0\n1,3\n');
    const { code, stderr } = await run('train', 'mnist', '--data', data, ...ways);
    expect(code).toBe(1);
    expect(stderr).toContain(
      'fix: mend that label, or name the right number of classes: --classes 25',
    );
    expect((await run('data', 'check', data)).stdout).toContain('--classes 25');
    const { stdout } = await run('data', 'check', data, '--classes', '25');
    expect(stdout).toContain('2 images of 1×1, 25 classes');
  });

  it('where no class has enough images', async () => {
    const data = folder();
    for (const name of ['a/1', 'b/1']) writeImage(join(data, `${name}.ppm`), 9);
    const few = ['--min-images', '5'];
    const { stderr } = await run('train', 'images', '--data', data, ...ways, ...few);
    expect(stderr).toContain('fix: lower --min-images');
  });
});

describe('evaluate on folders of images', () => {
  const out = join(folder(), 'run');
  beforeAll(async () => {
    const data = folder();
    for (const [mark, name] of ['a', 'b', 'c'].entries()) {
      for (let n = 0; n < 8; n++) writeImage(join(data, name, `${n}.ppm`), 60 * mark + n);
    }
    const { code } = await run('train', 'images', '--data', data, ...ways, '--out', out);
    expect(code).toBe(0);
  }, 60_000);

  it('takes them by name; a class that is missing or empty has support 0', async () => {
    const data = folder();
    writeImage(join(data, 'b/1.ppm'), 61);
    writeImage(join(data, 'c/1.ppm'), 121);
    writeImage(join(data, 'c/2.ppm'), 122);
    const evaluate = async () => {
      const { code, stdout } = await run('evaluate', out, '--data', data, '--json');
      expect(code).toBe(0);
      return JSON.parse(stdout) as {
        classes: { name: string; support: number }[];
        notes: string[];
      };
    };
    const supports = [
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ];
    const missing = await evaluate();
    expect(missing.classes.map(({ name, support }) => [name, support])).toEqual(supports);
    mkdirSync(join(data, 'a'));
    const empty = await evaluate();
    expect(empty.classes.map(({ name, support }) => [name, support])).toEqual(supports);
    expect(empty.notes.join()).toContain('class folders without images');
    // Only one of them.
    rmSync(join(data, 'c'), { recursive: true });
    expect((await evaluate()).classes.map(({ support }) => support)).toEqual([0, 1, 0]);
  });

  it('refuses a folder of no class of the run', async () => {
    const data = folder();
    for (const name of ['b', 'x']) writeImage(join(data, name, '1.ppm'), 61);
    const { code, stderr } = await run('evaluate', out, '--data', data);
    expect(code).toBe(1);
    expect(stderr).toContain("class folder 'x' is none of the 3 known classes (a, b, c)");
    expect(stderr).toContain('fix: rename the folder or move it away');
  });
});
