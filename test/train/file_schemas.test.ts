import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DataError, TilegradError } from '../../src/errors.js';
import { writeSafetensors } from '../../src/io/safetensors.js';
import { freshProgress, readCheckpoint, readModelFile } from '../../src/train/checkpoint.js';
import { readConfigFile, readRunConfig } from '../../src/train/run_config.js';
import { config } from './helpers.js';

const folder = mkdtempSync(join(tmpdir(), 'tilegrad-schemas-'));
afterAll(() => rmSync(folder, { recursive: true }));

const row = {
  ...{ epoch: 1, loss: 1, accuracy: 0.5, valLoss: 1, valAccuracy: 0.5 },
  ...{ learningRate: 0.1, seconds: 1, imagesPerSecond: 9, inputSeconds: 0 },
};
const progress = { ...freshProgress(), epoch: 1, step: 4, history: [row] };

/** A checkpoint without a tensor, whose texts are these. */
function checkpoint(changed: Record<string, string | undefined>): string {
  const path = join(folder, 'last.safetensors');
  const metadata = {
    format: 'tilegrad-checkpoint-1',
    config: JSON.stringify(config),
    progress: JSON.stringify(progress),
    optimizer: JSON.stringify({ lr: 0.1 }),
    ...changed,
  };
  const present = Object.entries(metadata).filter(([, text]) => text !== undefined);
  writeSafetensors(path, {
    tensors: new Map(),
    metadata: Object.fromEntries(present),
  });
  return path;
}

/** Exit code 1, the file named, and the field. */
function expectRefusal(read: () => unknown, path: string, message: string): void {
  expect(read).toThrow(TilegradError);
  expect(read).toThrow(`${path}: ${message}`);
  try {
    read();
  } catch (error) {
    expect((error as TilegradError).exitCode).toBe(1);
  }
}

describe('a checkpoint', () => {
  it('is read back whole', () => {
    const path = checkpoint({});
    const read = readCheckpoint(path);
    expect(read.config).toEqual(config);
    expect(read.progress).toEqual(progress);
    expect(read.scalars).toEqual({ lr: 0.1 });
    expect(readModelFile(path).config).toEqual(config);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ epoch: -1 }, 'progress.epoch: expected a whole number of at least 0, got -1'],
    [{ epoch: 1.5 }, 'progress.epoch: expected a whole number of at least 0, got 1.5'],
    [{ step: null }, 'progress.step: expected a whole number of at least 0, got null'],
    [{ batch: '1' }, 'progress.batch: expected a whole number of at least 0, got "1"'],
    [{ randomPosition: null }, 'progress.randomPosition: expected a whole number'],
    [{ totals: null }, 'progress.totals: expected an object, got null'],
    [
      { totals: { lossSum: 0, correct: 0 } },
      'progress.totals.count: expected a whole number of at',
    ],
    [{ history: undefined }, 'progress.history: expected a list, got nothing'],
    [{ history: [row, null] }, 'progress.history[1]: expected an object, got null'],
    [{ history: [{ ...row, loss: 'x' }] }, 'progress.history[0].loss: expected a number, got "x"'],
    [{ plateau: {} }, 'progress.plateau.lr: expected a number of at least 0, got nothing'],
    [{ lossScale: { scale: -1 } }, 'progress.lossScale.scale: expected a number of at least 0'],
  ])('with progress %j is refused', (changed, message) => {
    const path = checkpoint({ progress: JSON.stringify({ ...progress, ...changed }) });
    expectRefusal(() => readCheckpoint(path), path, message);
  });

  it.each<[Record<string, string | undefined>, string]>([
    [{ progress: 'null' }, 'progress: expected an object, got null'],
    [{ progress: '{"epoch":1' }, `progress: expected JSON, got '{"epoch":1'`],
    [{ progress: undefined }, 'progress: expected JSON, got nothing'],
    [{ optimizer: 'null' }, 'optimizer: expected an object, got null'],
    [{ optimizer: '{"lr":"0.1"}' }, 'optimizer.lr: expected a number, got "0.1"'],
    [{ config: 'null' }, 'config: expected an object, got null'],
    [{ config: '' }, `config: expected JSON, got ''`],
    [{ format: undefined }, 'expected a checkpoint of this program, its metadata has format none'],
    [{ format: '5' }, 'expected a checkpoint of this program, its metadata has format 5'],
  ])('with metadata %j is refused', (changed, message) => {
    const path = checkpoint(changed);
    expectRefusal(() => readCheckpoint(path), path, message);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ classNames: null }, 'config.classNames: expected a list, got null'],
    [{ classNames: [] }, 'config.classNames: expected the names of the classes, got []'],
    [{ classNames: ['a', 5] }, 'config.classNames[1]: expected a text, got 5'],
    [{ dtype: 'f64' }, 'config.dtype: expected one of f32, f16, got "f64"'],
    [{ model: 'resnet9' }, 'config.model: expected one of mnist-cnn,'],
    [{ normalize: 'x' }, 'config.normalize: expected none, imagenet, or means/deviations'],
    [
      { sourceShape: [30_000, 30_000, 1] },
      'config.sourceShape: expected [height, width, channels]',
    ],
    [{ sourceShape: -1 }, 'config.sourceShape: expected [height, width, channels] of at most'],
    [{ sourceShape: 'abc' }, 'config.sourceShape: expected [height, width, channels] of at most'],
    [{ sourceShape: [8, 8, 3] }, "config.sourceShape: expected at most the network's 8 × 8 × 1"],
    [{ sourceShape: [9, 8, 1] }, "config.sourceShape: expected at most the network's 8 × 8 × 1"],
    [{ imageShape: [1e6, 1e6, 1] }, 'config.imageShape: expected [height, width, channels] of at'],
    [{ imageShape: undefined }, 'config.imageShape: expected [height, width, channels] of at'],
  ])('with config %j is refused, for training and for evaluation', (changed, message) => {
    const path = checkpoint({ config: JSON.stringify({ ...config, ...changed }) });
    expectRefusal(() => readCheckpoint(path), path, message);
    expectRefusal(() => readModelFile(path), path, message);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ batchSize: 0 }, 'config.batchSize: expected a positive whole number, got 0'],
    [{ schedule: 'cosin' }, 'config.schedule: expected a schedule: '],
    [{ variants: 5 }, 'config.variants: expected an object, got 5'],
    [{ seed: undefined }, 'lacks the setting "seed": the run is of another version of tilegrad'],
  ])('with config %j can be evaluated, not gone on with', (changed, message) => {
    const path = checkpoint({ config: JSON.stringify({ ...config, ...changed }) });
    expectRefusal(() => readCheckpoint(path), path, message);
    expect(readModelFile(path).config.model).toBe(config.model);
  });
});

describe('config.json', () => {
  const path = join(folder, 'config.json');

  it.each<[string, string]>([
    ['null', 'expected an object, got null'],
    ['[]', 'expected an object, got []'],
    ['{"epochs"', 'cannot be read: '],
    [JSON.stringify({ ...config, batchSize: 0 }), 'batchSize: expected a positive whole number'],
    [JSON.stringify({ ...config, imageShape: null }), 'imageShape: expected [height, width, chan'],
    [JSON.stringify({ ...config, variants: { a: 5 } }), 'variants.a: expected a text, got 5'],
    [JSON.stringify({ ...config, recipe: null }), 'recipe: expected a text, got null'],
  ])('%s is refused', (text, message) => {
    writeFileSync(path, text);
    expectRefusal(() => readRunConfig(folder), path, message);
  });

  it('may begin with a byte order mark', () => {
    writeFileSync(path, `\uFEFF${JSON.stringify(config)}`);
    expect(readRunConfig(folder)).toEqual(config);
  });

  it('as a file of settings names kernels by texts alone', () => {
    writeFileSync(path, JSON.stringify({ recipe: 'mnist', variants: 5 }));
    expect(() => readConfigFile(path)).toThrow(
      'variants: expected names of kernels by shape, got 5',
    );
    expect(() => readConfigFile(path)).not.toThrow(DataError);
  });
});
