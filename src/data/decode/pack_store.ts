/**
 * Where packs of decoded images lie: `packs` in the user's cache folder (TILEGRAD_CACHE names another
 * one; empty, it says to keep nothing). A pack that no run has used for 30 days is removed when the
 * next one is made, and so are those unused for longest while all of them together exceed 32 GiB.
 */
import { createHash } from 'node:crypto';
import { lstat, readdir, rm, stat, utimes } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import sharp from 'sharp';
import { DECODE_VERSION, fileOf, type ImageSource } from './decode.js';
import { PACK_VERSION } from './pack.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const UNUSED_DAYS = 30;
const MOST_BYTES = 32 * 2 ** 30;
const NAME = /^[0-9a-f]{64}\.pack$/;
const TEMPORARY = /^\.[0-9a-f]{64}\.pack\..*\.tmp$/;

/** The folder of packs, or null if nothing is kept. */
export async function packFolder(): Promise<string | null> {
  // Loaded here alone: the platform brings the GPU's library along.
  const { cachePlace } = await import('#platform');
  return cachePlace('packs');
}

/**
 * What a pack of these images is known by: their paths below `folder`, sizes and times of change, the
 * form they are brought to, and the decoder's version. Another file in one's place changes it, a folder
 * that is moved as a whole does not.
 */
export async function packKey(
  folder: string,
  sources: readonly ImageSource[],
  form: Readonly<Record<string, unknown>>,
): Promise<string> {
  const hash = createHash('sha256');
  const { sharp: library, vips } = sharp.versions;
  hash.update(JSON.stringify([PACK_VERSION, DECODE_VERSION, library, vips, form]));
  const atOnce = 256;
  for (let begin = 0; begin < sources.length; begin += atOnce) {
    const part = sources.slice(begin, begin + atOnce);
    const infos = await Promise.all(part.map((source) => stat(fileOf(source)).catch(() => null)));
    for (const [index, info] of infos.entries()) {
      const source = part[index];
      // The time of the last change to the file's record cannot be set at will, unlike mtime.
      const state = info && [info.size, info.mtimeMs, info.ctimeMs];
      const region = typeof source === 'string' ? null : source.region;
      hash.update(JSON.stringify([relative(folder, fileOf(source)), state, region]));
    }
  }
  return hash.digest('hex');
}

/** The file of a pack. */
export function packPath(folder: string, key: string): string {
  return join(folder, `${key}.pack`);
}

/** Notes that a pack is in use; one that others own is merely read. */
export async function touchPack(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => {});
}

export interface KeptPack {
  path: string;
  sizeBytes: number;
  usedMs: number;
}

/** The packs in a folder, the one used last first; leftovers of runs that were killed among them. */
export async function listPacks(folder: string): Promise<KeptPack[]> {
  const packs: KeptPack[] = [];
  for (const name of await readdir(folder).catch((): string[] => [])) {
    if (!NAME.test(name) && !TEMPORARY.test(name)) continue;
    const path = join(folder, name);
    const info = await lstat(path).catch(() => null);
    if (info?.isFile()) packs.push({ path, sizeBytes: info.size, usedMs: info.mtimeMs });
  }
  return packs.sort((a, b) => b.usedMs - a.usedMs);
}

/** Removes old packs, and the oldest over the limit; never throws. `keep` is the newest one. */
export async function prunePacks(
  folder: string,
  keep: string,
  { now = Date.now(), mostBytes = MOST_BYTES }: { now?: number; mostBytes?: number } = {},
): Promise<void> {
  let total = 0;
  for (const { path, sizeBytes, usedMs } of await listPacks(folder)) {
    const age = now - usedMs;
    const isLeftover = TEMPORARY.test(basename(path));
    total += sizeBytes;
    const isOld = age > (isLeftover ? 1 : UNUSED_DAYS) * DAY_MS;
    if (path === keep || (!isOld && (isLeftover || total <= mostBytes))) continue;
    total -= sizeBytes;
    await rm(path, { force: true }).catch(() => {});
  }
}

/** Removes all packs. A run that reads one meanwhile keeps what it has open. */
export async function clearPacks(folder: string): Promise<void> {
  for (const { path } of await listPacks(folder)) await rm(path, { force: true });
}
