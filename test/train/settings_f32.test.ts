import { describe, expect, it } from 'vitest';
import { parseAugment } from '../../src/autograd/augment_text.js';
import { UsageError } from '../../src/errors.js';
import { isF32 } from '../../src/gpu/f32.js';
import { checkSettings } from '../../src/train/run_config.js';
import { settings } from '../../src/train/settings.js';

const fractions = settings.filter(({ kind }) => kind.accepts(0.5));

describe('a setting that f32 cannot hold', () => {
  it('is any with a fraction', () => {
    expect(fractions.map(({ key }) => key).sort()).toEqual([
      ...['alpha', 'beta1', 'beta2', 'clipNorm', 'dropout', 'epsilon', 'l2', 'labelSmoothing'],
      ...['lr', 'momentum', 'validationShare', 'warmup', 'weightDecay'],
    ]);
  });

  it.each(fractions)(
    'is refused on the command line and in a config file: $flag',
    ({ key, kind }) => {
      for (const text of ['1e39', '1e-300', '1e-39', '1e400', 'NaN']) {
        expect(kind.parse(text), text).toBeUndefined();
        expect(() => checkSettings('c.json', { [key]: Number(text) }), text).toThrow(
          /: expected a (positive )?number .*\(f32: (0, or )?(at least )?1\.18e-38( to 3\.40e\+38)?\)/,
        );
      }
      expect(kind.parse('1.2e-38')).toBe(1.2e-38);
    },
  );

  it('is refused inside a text, and as a factor', () => {
    const bad: Record<string, unknown>[] = [
      { schedule: 'cosine:1e39' },
      { schedule: 'plateau:1e-300,2' },
      { normalize: '1e39/1' },
      { normalize: '0/1e-300' },
      { augment: 'rotation=1e-300' },
      { lrScale: { fc: 1e39 } },
      { keepProbability: 1e-300 },
      { keepProbability: 1e-10 },
    ];
    for (const config of bad) {
      expect(() => checkSettings('c.json', config), JSON.stringify(config)).toThrow(UsageError);
    }
    expect(() => parseAugment('shift=1e-39')).toThrow('augment: shift must be 0, or 1.18e-38');
  });

  it('is one that is ±∞ or lost in 0 there', () => {
    for (const value of [1e39, -1e39, 1e-39, 1e-300, Infinity, NaN])
      expect(isF32(value)).toBe(false);
    for (const value of [0, -0, 3.4028234e38, 2 ** -126, -1, 0.1]) expect(isF32(value)).toBe(true);
  });
});
