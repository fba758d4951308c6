import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCase, type Failure } from './fuzz.js';
import { makeSubjects, type Subject } from './subjects.js';

const folder = mkdtempSync(join(tmpdir(), 'tilegrad-fuzz-'));
let subjects: Subject[];
beforeAll(async () => {
  subjects = await makeSubjects(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const COUNT = 2000;
const SEED = 1;

it('every subject is read as it is', async () => {
  for (const subject of subjects) {
    const { name, bytes, place, file } = subject;
    const path = join(folder, place ?? '', file);
    writeFileSync(path, subject.wrap?.(Buffer.from(bytes)) ?? bytes);
    const result = Promise.resolve(path).then((where) => subject.read(where));
    await expect(result, name).resolves.not.toBe(null);
  }
});

it(`${COUNT} damaged files are read, or refused by the program's own errors`, async () => {
  const failures: Failure[] = [];
  for (let index = 0; index < COUNT; index++) {
    const failure = await runCase(subjects, folder, SEED, index);
    if (failure) failures.push(failure);
  }
  expect(failures).toEqual([]);
}, 300_000);
