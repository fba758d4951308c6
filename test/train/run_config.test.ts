import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { TrainingError, UsageError } from '../../src/errors.js';
import { checkSettings, readConfigFile, readRunConfig } from '../../src/train/run_config.js';
import { nearestName } from '../../src/gpu/nearest_name.js';
import { defaultSettings, settings } from '../../src/train/settings.js';

const folder = mkdtempSync(join(tmpdir(), 'tilegrad-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function written(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('settings', () => {
  it('have defaults that are settings themselves', () => {
    expect(checkSettings('defaults', defaultSettings())).toEqual(defaultSettings());
  });

  it('have one flag each', () => {
    const flags = settings.map(({ flag }) => flag.split(' ')[0]);
    expect(new Set(flags).size).toBe(flags.length);
    for (const { key, flag } of settings) {
      const camel = flag
        .split(' ')[0]
        .slice(2)
        .replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
      expect(camel).toBe(key);
    }
  });

  it('take dropout as the probability to keep', () => {
    expect(checkSettings('c', { keepProbability: 0.6 })).toEqual({ dropout: 0.4 });
    expect(() => checkSettings('c', { keepProbability: 0.6, dropout: 0.4 })).toThrow('got both');
    expect(() => checkSettings('c', { keepProbability: 1.5 })).toThrow('expected at most 1');
  });

  it('may be left to the data where they say so, and only there', () => {
    expect(checkSettings('c', { input: null, dropout: null })).toEqual({
      input: null,
      dropout: null,
    });
    expect(() => checkSettings('c', { epochs: null })).toThrow(
      'c: epochs: expected a positive whole number, got null',
    );
  });

  it.each([
    [{ epoch: 3 }, 'c: no setting named "epoch"\nfix: did you mean "epochs"?'],
    [{ batchsize: 3 }, 'did you mean "batchSize"?'],
    [{ colour: 3 }, 'c: no setting named "colour"\nfix: there are model, data,'],
    [{ epochs: '3' }, 'c: epochs: expected a positive whole number, got "3"'],
    [
      { dropout: 1 },
      'c: dropout: expected a number from 0 to less than 1 (f32: 0, or at least 1.18e-38), got 1',
    ],
    [{ model: 'resnet102' }, 'c: model: expected one of mnist-cnn,'],
    [{ schedule: 'cosin' }, 'schedule: no schedule named "cosin"'],
    [{ normalize: '0.5' }, 'normalize: expected none, imagenet, or means/deviations, got "0.5"'],
    // A deviation of 0 would divide by it, a negative one turn pictures into negatives.
    [{ normalize: '0.5/0' }, 'means/deviations, got "0.5/0"'],
    [{ normalize: '0.5,0.5/0.25,-0.25' }, 'means/deviations, got "0.5,0.5/0.25,-0.25"'],
    [{ input: [32, 32] }, 'c: input: expected one number, or H,W,C, such as 64,64,3, got [32,32]'],
    [{ lrScale: { a: -1 } }, 'c: lrScale: expected pattern=number'],
    [{ freeze: 'a' }, 'c: freeze: expected a list of texts'],
    [[], 'c: expected an object of settings'],
  ])('%j is refused', (config, message) => {
    expect(() => checkSettings('c', config)).toThrow(UsageError);
    expect(() => checkSettings('c', config)).toThrow(message);
  });
});

describe('a config file', () => {
  it('gives recipe and settings, and passes over what follows from the data', () => {
    const path = written(
      'a.json',
      JSON.stringify({ recipe: 'mnist', epochs: 2, imageShape: [28, 28, 1], classNames: ['0'] }),
    );
    expect(readConfigFile(path)).toEqual({ recipe: 'mnist', settings: { epochs: 2 } });
  });

  it('that is missing or no JSON is one clear error', () => {
    expect(() => readConfigFile(join(folder, 'none.json'))).toThrow('none.json: no such file');
    expect(() => readConfigFile(written('b.json', '{"epochs": }'))).toThrow(
      /b\.json: cannot be read: /,
    );
  });

  it('of a run of another version says so', () => {
    written('config.json', JSON.stringify({ recipe: 'mnist', learningRates: [1] }));
    expect(() => readRunConfig(folder)).toThrow(TrainingError);
    expect(() => readRunConfig(folder)).toThrow('the run is of another version of tilegrad');
  });
});

describe('the nearest name', () => {
  it('is found for a slip of the pen, and not for another word', () => {
    const names = ['epochs', 'batchSize', 'augment'];
    expect(nearestName('epcohs', names)).toBe('epochs');
    expect(nearestName('augmentation', names)).toBe(null);
    expect(nearestName('xyz', names)).toBe(null);
  });
});
