import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cacheFolder, cachePlace, readCache, writeCache } from '../../src/gpu/platform/node.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tilegrad-cache-'));
  vi.stubEnv('TILEGRAD_CACHE', join(folder, 'deep'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe('the cache folder', () => {
  it('follows the habits of the system', () => {
    const home = homedir();
    expect(cacheFolder({}, 'linux')).toBe(join(home, '.cache', 'tilegrad'));
    expect(cacheFolder({ XDG_CACHE_HOME: '/var/c' }, 'linux')).toBe(join('/var/c', 'tilegrad'));
    expect(cacheFolder({ XDG_CACHE_HOME: 'not/whole' }, 'linux')).toBe(
      join(home, '.cache', 'tilegrad'),
    );
    expect(cacheFolder({}, 'darwin')).toBe(join(home, 'Library', 'Caches', 'tilegrad'));
    expect(cacheFolder({ LOCALAPPDATA: 'D:/local' }, 'win32')).toBe(join('D:/local', 'tilegrad'));
    expect(cacheFolder({ TILEGRAD_CACHE: '/here', XDG_CACHE_HOME: '/var/c' }, 'linux')).toBe(
      '/here',
    );
    expect(cacheFolder({ TILEGRAD_CACHE: '' }, 'linux')).toBeNull();
  });

  it('keeps texts, replaces them whole and leaves no temporary file', () => {
    expect(readCache('a.json')).toBeNull();
    expect(writeCache('a.json', 'one')).toBeNull();
    expect(writeCache('a.json', 'two')).toBeNull();
    expect(readCache('a.json')).toBe('two');
    expect(readdirSync(join(folder, 'deep'))).toEqual(['a.json']);
    expect(cachePlace('a.json')).toBe(join(folder, 'deep', 'a.json'));
  });

  it('says why it cannot keep a text, and throws nothing', () => {
    writeFileSync(join(folder, 'deep'), 'a file where the folder should be');
    expect(writeCache('a.json', 'one')).toMatch(/EEXIST|ENOTDIR/);
    expect(readCache('a.json')).toBeNull();
    vi.stubEnv('TILEGRAD_CACHE', '');
    expect(writeCache('a.json', 'one')).toBe('TILEGRAD_CACHE is empty');
    expect(readCache('a.json')).toBeNull();
    expect(cachePlace('a.json')).toBeNull();
  });
});
