/** Reads damaged files with every reader, and tells what went wrong in another way than it should. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TilegradError } from '../../src/errors.js';
import { mutate, randomOf } from './mutate.js';
import type { Subject } from './subjects.js';

export interface Failure {
  index: number;
  subject: string;
  problem: string;
}

/** Honest small files take milliseconds. */
const MOST_CPU_SECONDS = 2;
/** What no person should have to read. */
const RAW =
  /undefined|\bNaN (bytes|values)|\[object|is not a function|Cannot read prop|not iterable/;

/** The damaged file of one case: its number and the seed say all of it. */
export function damaged(
  subjects: readonly Subject[],
  seed: number,
  index: number,
): { subject: Subject; bytes: Buffer } {
  const subject = subjects[index % subjects.length];
  const bytes = mutate(subject.bytes, randomOf(seed, index), subject.isText);
  return { subject, bytes: subject.wrap ? subject.wrap(bytes) : bytes };
}

/** Runs one case; null where the reader took the file or refused it as it should. */
export async function runCase(
  subjects: readonly Subject[],
  folder: string,
  seed: number,
  index: number,
): Promise<Failure | null> {
  const { subject, bytes } = damaged(subjects, seed, index);
  const path = join(folder, subject.place ?? '', subject.file);
  writeFileSync(path, bytes);
  const before = process.cpuUsage();
  let problem: string | null = null;
  try {
    await subject.read(path);
  } catch (error) {
    problem = problemOf(error, subject);
  }
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  if (seconds > MOST_CPU_SECONDS) problem ??= `took ${seconds.toFixed(1)} s of CPU`;
  writeFileSync(path, subject.wrap ? subject.wrap(Buffer.from(subject.bytes)) : subject.bytes);
  return problem === null ? null : { index, subject: subject.name, problem };
}

function problemOf(error: unknown, { isCommand }: Subject): string | null {
  if (!(error instanceof TilegradError)) {
    return error instanceof Error ? `raw ${error.name}: ${error.message}` : `raw: ${String(error)}`;
  }
  if (RAW.test(error.message)) return `odd message: ${error.message}`;
  if (error.exitCode !== 1 && !isCommand) return `exit code ${error.exitCode}: ${error.message}`;
  return null;
}
