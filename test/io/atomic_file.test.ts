import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeError } from '../../src/io/atomic_file.js';

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
      'fix: choose another folder with --out',
  );
});
