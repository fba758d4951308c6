import { existsSync, readFileSync, writeFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { folder, run, start, until, type Finished } from './helpers.js';

interface TrainDocument {
  recipe: string;
  model: string;
  parameters: number;
  adapter: string;
  epochs: Record<string, number>[];
  test: { loss: number; accuracy: number };
  out: string;
}

const small = ['--data', 'builtin:digits', '--limit', '320', '--batch-size', '32', '--seed', '5'];

describe('tilegrad train', () => {
  let out: string;
  let finished: Finished;
  let document: TrainDocument;
  beforeAll(async () => {
    out = join(folder(), 'run');
    finished = await run('train', 'mnist', ...small, '--epochs', '2', '--out', out, '--json');
    document = JSON.parse(finished.stdout) as TrainDocument;
  }, 120_000);

  it('prints one JSON document with what the contract lists', () => {
    expect(finished.code).toBe(0);
    expect(document).toMatchObject({
      ...{ recipe: 'mnist', model: 'mnist-cnn', parameters: 3_274_634, out },
    });
    expect(document.adapter.length).toBeGreaterThan(0);
    expect(document.epochs).toHaveLength(2);
    for (const name of [
      ...['epoch', 'loss', 'accuracy', 'valLoss', 'valAccuracy', 'seconds', 'imagesPerSecond'],
    ]) {
      expect(document.epochs[1][name], name).toEqual(expect.any(Number));
    }
    expect(document.test.accuracy).toEqual(expect.any(Number));
    expect(document.test.loss).not.toBe(document.epochs[1].valLoss);
    expect(document.epochs[1].loss).toBeLessThan(document.epochs[0].loss);
  });

  it('writes the run folder with its report', () => {
    expect(readdirSync(out).sort()).toEqual([
      ...['best.safetensors', 'config.json', 'events', 'last.safetensors', 'metrics.csv', 'report'],
    ]);
    expect(readdirSync(join(out, 'report')).sort()).toEqual([
      ...['calibration.png', 'class_figures.png', 'classes.csv', 'confused_pairs.csv'],
      ...['confusion.csv', 'confusion_matrix.png', 'confusion_matrix_normalised.png'],
      ...[
        'index.html',
        'learning_curves.png',
        'network.svg',
        'predictions.csv',
        'random_predictions.png',
      ],
      ...['summary.json', 'worst_mistakes.png'],
    ]);
  });

  it('evaluate repeats the test figures of the run', async () => {
    const args = ['--data', 'builtin:digits', '--limit', '320', '--json'];
    const { code, stdout } = await run('evaluate', join(out, 'last.safetensors'), ...args);
    expect(code).toBe(0);
    const result = JSON.parse(stdout) as {
      count: number;
      classes: { support: number }[];
      confusion: number[][];
    };
    expect(result.count).toBe(320);
    expect(result.classes.map(({ support }) => support)).toEqual(
      result.confusion.map((row) => row.reduce((a, b) => a + b, 0)),
    );
  });

  it('evaluate --report writes a report of the run, and not over one that is there', async () => {
    const report = join(folder(), 'signs', 'report');
    const args = [
      'evaluate',
      out,
      '--data',
      'builtin:digits',
      '--limit',
      '100',
      '--report',
      report,
    ];
    const first = await run(...args);
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(
      /^weights .*\nloss \d\.\d+ {2}accuracy \d+\.\d+ % of 100 images: ±[\d.]+ points, [\d.]+ to [\d.]+ %\n/,
    );
    expect(first.stdout).toMatch(/\ntop-5 \d+\.\d+ % {2}expected calibration error \d+\.\d+ %\n/);
    expect(first.stdout).toMatch(/\nmacro average +\d\.\d{4} {2}\d\.\d{4} {2}\d\.\d{4} +100\n/);
    expect(first.stdout).toMatch(/\nweighted average +\d/);
    expect(first.stdout).toContain(`wrote ${join(report, 'index.html')}`);
    const page = readFileSync(join(report, 'index.html'), 'utf8');
    // The epochs come from metrics.csv, the settings from the checkpoint.
    expect(readdirSync(report)).toContain('learning_curves.png');
    expect(page).toContain('<td>parameters</td><td>3,274,634</td>');
    expect(page).toContain('<td>batch size</td><td>32</td>');
    const second = await run(...args);
    expect(second.code).toBe(2);
    expect(second.stderr).toContain(`${join(report, 'index.html')} is there already`);
    expect(readFileSync(join(report, 'index.html'), 'utf8')).toBe(page);
    const forced = await run(...args, '--force', '--json');
    expect(forced.code).toBe(0);
    const document = JSON.parse(forced.stdout) as Record<string, unknown>;
    expect(document).toMatchObject({
      ...{ count: 100, report: join(report, 'index.html') },
      macro: { f1: expect.any(Number) },
      weighted: { recall: expect.closeTo(document.accuracy as number, 12) },
      expectedCalibrationError: expect.any(Number),
      topK: [
        { k: 1, accuracy: document.accuracy },
        { k: 5, accuracy: expect.any(Number) },
      ],
    });
  }, 60_000);

  it('predict names the classes of image files, the most probable first', async () => {
    const image = join(folder(), 'digit.png');
    const raw = { width: 28, height: 28, channels: 1 as const };
    await sharp(Buffer.alloc(784, 90), { raw }).png().toFile(image);
    const { code, stdout } = await run('predict', out, image, '--top', '3', '--json');
    expect(code).toBe(0);
    const [{ file, top }] = JSON.parse(stdout) as {
      file: string;
      top: { class: string; probability: number }[];
    }[];
    expect(file).toBe(image);
    expect(top).toHaveLength(3);
    expect(top[0].probability).toBeGreaterThanOrEqual(top[1].probability);
  });

  it('Ctrl-C finishes the step, saves and says how to go on; the resumed run gives the same numbers', async () => {
    const where = join(folder(), 'stopped');
    const running = start(['train', 'mnist', ...small, '--epochs', '2', '--out', where]);
    await until(() => /epoch 1\/2 /.test(running.said()), 'the first epoch');
    running.child.kill('SIGINT');
    const stopped = await running.done;
    expect(stopped.code).toBe(1);
    expect(stopped.stdout).toContain(`continue with: tilegrad train --resume ${where}`);
    expect(stopped.stderr).toMatch(/stopping after this step, 1 of 2 epochs done, the best at \d/);
    // A report of what there is.
    expect(readFileSync(join(where, 'report', 'index.html'), 'utf8')).toContain(
      'the run was stopped; figures and pictures are those after epoch 1',
    );
    const resumed = await run('train', '--resume', where, '--json', '--no-report');
    expect(resumed.code).toBe(0);
    const after = JSON.parse(resumed.stdout) as TrainDocument;
    expect(after.epochs.map(({ loss, valLoss }) => [loss, valLoss])).toEqual(
      document.epochs.map(({ loss, valLoss }) => [loss, valLoss]),
    );
  }, 120_000);

  it('killed outright, leaves whole files and goes on from the last epoch with the same numbers', async () => {
    const where = join(folder(), 'killed');
    const running = start(['train', 'mnist', ...small, '--epochs', '2', '--out', where]);
    await until(() => existsSync(join(where, 'metrics.csv')), 'the first epoch to end');
    running.child.kill('SIGKILL');
    expect((await running.done).signal).toBe('SIGKILL');
    const resumed = await run('train', '--resume', where, '--json', '--no-report');
    expect(resumed.code).toBe(0);
    const after = JSON.parse(resumed.stdout) as TrainDocument;
    expect(after.epochs.map(({ loss, valLoss }) => [loss, valLoss])).toEqual(
      document.epochs.map(({ loss, valLoss }) => [loss, valLoss]),
    );
  }, 120_000);

  it('refuses to write over a run', async () => {
    const before = readFileSync(join(out, 'last.safetensors'));
    const { code, stderr } = await run('train', 'mnist', ...small, '--out', out);
    expect(code).toBe(2);
    expect(stderr).toContain(`${out} holds a run already`);
    expect(stderr).toContain(`fix: continue it with --resume ${out}`);
    expect(readFileSync(join(out, 'last.safetensors')).equals(before)).toBe(true);
  });
});

describe('bad input gets one clear error', () => {
  const cases: [string, string[], number, RegExp][] = [
    ['no recipe', ['train'], 2, /train: expected a recipe/],
    ['unknown recipe', ['train', 'mnst'], 2, /no recipe named "mnst"; there are mnist, /],
    ['unknown option', ['train', 'mnist', '--epoch', '3'], 2, /unknown option '--epoch'/],
    ['no number', ['train', 'mnist', '--epochs', 'x'], 2, /expected a positive whole number/],
    ['zero rate', ['train', 'mnist', '--lr', '0'], 2, /expected a positive number/],
    ['unknown optimizer', ['train', 'mnist', '--optimizer', 'x'], 2, /expected one of sgd, adam/],
    ['missing data', ['train', 'mnist', '--data', 'nowhere'], 1, /nowhere/],
    ['unknown model', ['summary', 'resnet102'], 2, /no model named "resnet102"; there are/],
    ['missing adapter', ['doctor', '--adapter', 'zzz'], 1, /no adapter contains "zzz"; found/],
    [
      'missing run',
      ['evaluate', 'nowhere', '--data', 'builtin:digits'],
      1,
      /no such file or folder/,
    ],
    ['missing image', ['predict', 'nowhere', 'x.png'], 1, /no such file or folder/],
    ['unknown op', ['explain', 'conv9d'], 2, /no op named "conv9d"; there are pages on/],
    ['images without data', ['train', 'images'], 2, /train images: expected --data/],
  ];
  it.each(cases)('%s', async (_title, args, code, message) => {
    const result = await run(...args);
    expect(result.stderr).toMatch(message);
    expect(result.code).toBe(code);
    expect(result.stdout).toBe('');
    expect(result.stderr).not.toContain('    at ');
  });

  it('shows a stack trace with --debug alone', async () => {
    const { stderr } = await run('train', 'mnst', '--debug');
    expect(stderr).toContain('    at ');
  });

  it('a foreign or truncated checkpoint', async () => {
    const where = folder();
    const foreign = join(where, 'foreign.safetensors');
    writeFileSync(foreign, 'this is not a checkpoint at all');
    const { code, stderr } = await run('evaluate', foreign, '--data', 'builtin:digits');
    expect(code).toBe(1);
    expect(stderr).toContain('expected a safetensors file');
  });

  it('a folder with one class', async () => {
    const where = folder();
    mkdirSync(join(where, 'train', 'only'), { recursive: true });
    const raw = { width: 8, height: 8, channels: 3 as const };
    await sharp(Buffer.alloc(192, 9), { raw })
      .png()
      .toFile(join(where, 'train', 'only', 'a.png'));
    const { code, stderr } = await run(
      'train',
      'images',
      '--data',
      where,
      '--out',
      join(where, 'r'),
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/only/);
    expect(existsSync(join(where, 'r'))).toBe(false);
  });
});

describe('other commands', () => {
  it('summary counts the parameters of the MNIST network', async () => {
    const { code, stdout } = await run('summary', 'mnist-cnn', '--json');
    expect(code).toBe(0);
    const document = JSON.parse(stdout) as {
      parameters: unknown;
      layers: { output: number[]; flops: number }[];
      flops: number;
    };
    expect(document.parameters).toEqual({
      ...{ total: 3_274_634, trainable: 3_274_634, nonTrainable: 0 },
    });
    expect(document.layers[0].output).toEqual([28, 28, 32]);
    // 2·28·28·32·25 multiply-adds of the first convolution.
    expect(document.layers[0].flops).toBe(2 * 28 * 28 * 32 * 25);
  });

  it('explain prints the page of an op, plain in a pipe', async () => {
    const { code, stdout } = await run('explain', 'maxPool2d');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^# /);
    expect(stdout).not.toContain('\u001b');
  });

  it('doctor tests kernels and prints its findings as JSON', async () => {
    const { code, stdout } = await run('doctor', '--json');
    expect(code).toBe(0);
    const { adapter, selfTest, isHealthy } = JSON.parse(stdout) as {
      adapter: { description: string };
      selfTest: { passed: boolean }[];
      isHealthy: boolean;
    };
    expect(adapter.description).not.toBe('');
    expect(selfTest.every(({ passed }) => passed)).toBe(true);
    expect(isHealthy).toBe(true);
  });
});
