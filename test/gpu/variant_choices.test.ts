import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VariantChoices } from '../../src/gpu/variant_choices.js';
import { version } from '../../src/gpu/version.js';

describe('choices of variants', () => {
  it('answer by key, and are listed in the order of the keys', () => {
    const choices = new VariantChoices();
    choices.set('b', 'tiled');
    choices.set('a', 'naive');
    expect(choices.ask(() => 'b')).toBe('tiled');
    expect(choices.ask(() => 'c')).toBeUndefined();
    expect(Object.entries(choices.entries())).toEqual([
      ['a', 'naive'],
      ['b', 'tiled'],
    ]);
    choices.replace({ c: 'winograd2' });
    expect(choices.entries()).toEqual({ c: 'winograd2' });
    choices.delete('c');
    expect(choices.size).toBe(0);
  });

  it('take variants under the names of older runs', () => {
    const choices = new VariantChoices();
    choices.replace({ a: 'shuffle', b: 'few', c: 'columns', d: 'wide', e: 'toString' });
    expect(Object.values(choices.entries())).toEqual([
      ...['subgroup8', 'smallChannel', 'col2im', 'upcast', 'toString'],
    ]);
  });

  it('ask for no key while there are no choices and nobody watches', () => {
    const choices = new VariantChoices();
    expect(
      choices.ask(() => {
        throw new Error('the key was made');
      }),
    ).toBeUndefined();
  });

  it('show the keys that are asked for, each once, only while they are watched', async () => {
    const choices = new VariantChoices();
    const keys = await choices.observe(async () => {
      choices.ask(() => 'one');
      await Promise.resolve();
      choices.ask(() => 'two');
      choices.ask(() => 'one');
    });
    choices.ask(() => 'three');
    expect(keys).toEqual(['one', 'two']);
  });

  it('stop watching when the function fails', async () => {
    const choices = new VariantChoices();
    await expect(choices.observe(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(choices.ask(() => expect.fail('still watched'))).toBeUndefined();
  });
});

describe('version', () => {
  it('is that of package.json', () => {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    expect((JSON.parse(text) as { version: string }).version).toBe(version);
  });
});
