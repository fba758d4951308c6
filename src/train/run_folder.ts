import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { optionName, trainerName, UsageError } from '../errors.js';
import { makeFolder, writeError } from '../io/atomic_file.js';

/** Who writes into a run folder. */
interface Owner {
  pid: number;
  host: string;
  /** When the process began, in the system's own units; null if it does not tell. */
  started: string | null;
}

const CLAIM = '.claim';
/** How often an owner shows other machines that it is there, and when they take it for gone. */
const BEAT_MS = 30_000;
const SILENT_MS = 180_000;
/** A claim takes less than this to be written. */
const WRITTEN_MS = 2_000;

/**
 * A run folder that no other run writes into until it is released. The claim of a process that is
 * gone is passed over; what it left half written goes.
 */
export class RunFolder {
  private readonly beat: NodeJS.Timeout;

  private constructor(
    readonly path: string,
    /** The topmost folder that was made for it. */
    private readonly made: string | undefined,
  ) {
    const claim = join(path, CLAIM);
    this.beat = setInterval(() => touch(claim), BEAT_MS).unref();
    removeTemporaries(path);
  }

  /**
   * Claims a folder, which is made where it is missing.
   *
   * Errors: UsageError if another run has it, WriteError if it cannot be written.
   */
  static claim(path: string): RunFolder {
    const made = makeFolder(path);
    claimFolder(path);
    return new RunFolder(path, made);
  }

  /** Claims the first of `name-1`, `name-2` … in `parent` that is not there yet. */
  static claimNext(parent: string, name: string): RunFolder {
    const made = makeFolder(parent);
    for (let n = 1; ; n++) {
      const path = join(parent, `${name}-${n}`);
      try {
        mkdirSync(path);
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'EEXIST') continue;
        throw writeError(path, cause);
      }
      claimFolder(path);
      return new RunFolder(path, made ?? resolve(path));
    }
  }

  /** Lets others have it; a folder that was made for a run that never began goes. */
  release(): void {
    clearInterval(this.beat);
    rmSync(join(this.path, CLAIM), { force: true });
    if (this.made === undefined) return;
    try {
      for (let at = resolve(this.path); at.startsWith(this.made); at = dirname(at)) rmdirSync(at);
    } catch {
      // It holds something by now.
    }
  }
}

/** Errors: UsageError if a folder holds a run that a new one would write over. */
export function expectNoRun(folder: string): void {
  if (!existsSync(join(folder, 'last.safetensors'))) return;
  throw new UsageError(`${trainerName()}: ${folder} holds a run already`, {
    program: 'continue it with resume: true, or choose another out',
    commandLine: `continue it with --resume ${folder}, or choose another --out`,
  });
}

function claimFolder(folder: string): void {
  const path = join(folder, CLAIM);
  const mine = JSON.stringify(ownerNow());
  for (;;) {
    try {
      // Exclusive: of two that come at once, one has it.
      writeFileSync(path, mine, { flag: 'wx' });
      return;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw writeError(folder, cause);
    }
    passOver(folder, path);
  }
}

/** Takes the claim of a dead owner away; UsageError if the owner lives. */
function passOver(folder: string, path: string): void {
  const seen = textOf(path);
  if (seen === null) return;
  const owner = ownerOf(seen);
  if (owner ? isAlive(owner, path) : ageOf(path) < WRITTEN_MS) throw inUse(folder, owner);
  const aside = `${path}.${process.pid}.tmp`;
  try {
    renameSync(path, aside);
  } catch {
    return; // another run was quicker
  }
  if (textOf(aside) !== seen) {
    // What was moved is the claim of a run that passed over the dead one meanwhile.
    linkSync(aside, path);
    rmSync(aside);
    throw inUse(folder, null);
  }
  rmSync(aside);
}

function inUse(folder: string, owner: Owner | null): UsageError {
  const who = owner ? ` (process ${owner.pid} on ${owner.host})` : '';
  return new UsageError(
    `${trainerName()}: another run writes into ${folder}${who}`,
    `wait until it has ended, or choose another ${optionName('out')}; if there is no such run, remove ${join(folder, CLAIM)}`,
  );
}

function ownerNow(): Owner {
  return { pid: process.pid, host: hostname(), started: startOf(process.pid) };
}

function ownerOf(text: string): Owner | null {
  try {
    const { pid, host, started } = JSON.parse(text) as Partial<Owner>;
    if (!Number.isSafeInteger(pid) || typeof host !== 'string') return null;
    return { pid: pid!, host, started: started ?? null };
  } catch {
    return null;
  }
}

function isAlive({ pid, host, started }: Owner, claim: string): boolean {
  if (host !== hostname()) return ageOf(claim) < SILENT_MS;
  // The number may be another process's by now.
  return exists(pid) && startOf(pid) === started;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process began, by Linux; null for one that has ended, and on other systems. */
function startOf(pid: number): string | null {
  const stat = textOf(`/proc/${pid}/stat`);
  // proc(5): the fields after the name, which may hold anything; the third is the state, the 22nd this.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' ? null : fields[22 - 3];
}

/** Removes what writers that are gone left of files they had not finished. */
function removeTemporaries(folder: string): void {
  for (const part of [folder, join(folder, 'report')]) {
    if (!existsSync(part)) continue;
    for (const name of readdirSync(part)) {
      const pid = /^\.[\w.-]+\.(\d+)\.tmp$/.exec(name)?.[1];
      if (pid === undefined || (Number(pid) !== process.pid && exists(Number(pid)))) continue;
      rmSync(join(part, name), { force: true });
    }
  }
}

function touch(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // It was removed by hand; the run goes on.
  }
}

function ageOf(path: string): number {
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
