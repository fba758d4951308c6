import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolder, writeError } from '../../src/io/atomic_file.js';

it('says that a file stands where a run folder should', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tilegrad-'));
  const path = join(folder, 'run');
  writeFileSync(path, '');
  let cause: unknown;
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    cause = error;
  }
  rmSync(folder, { recursive: true });
  expect(writeError(path, cause).message).toBe(
    `${path}: cannot be written: a file of that name is there; what was there is unharmed\n` +
      'fix: choose another place for it',
  );
});

const failed = (code: string) => Object.assign(new Error(`${code}: as the system says`), { code });

it('names what is wrong with a place, and advises no option that the command may lack', () => {
  const texts = ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EISDIR', 'ENAMETOOLONG'].map(
    (code) => writeError('x/y', failed(code)).message,
  );
  expect(texts).toEqual([
    'x/y: cannot be written: the disk is full; what was there is unharmed\n' +
      'fix: free some space, then run the command again',
    'x/y: cannot be written: the disk quota is used up; what was there is unharmed\n' +
      'fix: free some space, then run the command again',
    'x/y: cannot be written: the file system is read-only; what was there is unharmed\n' +
      'fix: choose another place for it',
    'x/y: cannot be written: no permission to write there; what was there is unharmed\n' +
      'fix: choose another place for it',
    'x/y: cannot be written: a folder of that name is there; what was there is unharmed\n' +
      'fix: choose another place for it',
    'x/y: cannot be written: the name is too long; what was there is unharmed\n' +
      'fix: choose another place for it',
  ]);
});

it('says why a folder cannot be made, and at once, where Node says ENOENT or never ends', () => {
  // The kernel's own file system takes no folder.
  if (!existsSync('/proc/sys')) return console.log('skipped: there is no /proc/sys here');
  expect(() => makeFolder('/proc/sys/tilegrad/run')).toThrow(
    /^\/proc\/sys\/tilegrad\/run: cannot be written: /,
  );
});

it('makes a folder with those above it, and takes one that is there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tilegrad-'));
  const path = join(folder, 'a', 'b');
  makeFolder(path);
  makeFolder(path);
  expect(existsSync(path)).toBe(true);
  writeFileSync(join(path, 'c'), '');
  expect(() => makeFolder(join(path, 'c'))).toThrow('a file of that name is there');
  expect(() => makeFolder(join(path, 'c', 'd'))).toThrow('part of the path is a file');
  rmSync(folder, { recursive: true });
});
