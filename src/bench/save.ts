import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Runtime } from '../gpu/runtime.js';
import { writeFileAtomically } from '../io/atomic_file.js';
import type { BenchDocument } from './types.js';

/** A document as it is saved, with what is needed to compare it with another. */
interface SavedDocument extends BenchDocument {
  driver: string;
  node: string;
  platform: string;
  /** Of the checkout the program ran in; `-dirty` where files differed. Null outside one. */
  commit: string | null;
  date: string;
}

/**
 * Writes a document with driver, versions, commit and date.
 *
 * Errors: DataError if it cannot be written; what was there stays.
 */
export function saveReport(path: string, document: BenchDocument, runtime: Runtime): void {
  const { vendor, architecture, device, description } = runtime.adapter.info;
  const saved: SavedDocument = {
    ...document,
    driver: [vendor, architecture, device, description].filter(Boolean).join(', '),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    commit: commitHere(),
    date: new Date().toISOString(),
  };
  writeFileAtomically(path, [`${JSON.stringify(saved, null, 2)}\n`]);
}

function commitHere(): string | null {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  if (!existsSync(new URL('../../.git', import.meta.url))) return null;
  try {
    const args = ['describe', '--always', '--abbrev=12', '--dirty', '--exclude', '*'];
    return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}
