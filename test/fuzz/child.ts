/** Runs cases in a process that may hang or die: says on descriptor 3 which one it is at. */
import { mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCase } from './fuzz.js';
import { makeSubjects } from './subjects.js';

const [seed, first, end] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'tilegrad-fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const subjects = await makeSubjects(folder);
writeSync(3, `${JSON.stringify({ subjects: subjects.map(({ name }) => name) })}\n`);
for (let index = first; index < end; index++) {
  writeSync(3, `${index}\n`);
  const failure = await runCase(subjects, folder, seed, index);
  if (failure) writeSync(3, `${JSON.stringify({ failure })}\n`);
}
process.exit(0);
