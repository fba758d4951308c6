/**
 * Fetches MNIST from its public mirrors.
 *
 * A file grows as NAME.part and gets its name only when its check sum is right, so that a download that
 * is stopped at any moment harms nothing and goes on where it was.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DataError } from '../errors.js';
import { holdsPublished, MNIST_FILES, type PublishedFile } from './formats/mnist_files.js';

const MNIST_MIRRORS: readonly string[] = [
  'https://storage.googleapis.com/cvdf-datasets/mnist/',
  'https://ossci-datasets.s3.amazonaws.com/mnist/',
];

export interface DownloadProgress {
  file: string;
  mirror: string;
  receivedBytes: number;
  /** Where the mirror tells it. */
  totalBytes?: number;
}

export interface DownloadOptions {
  /** The folder for the files; made if it is missing. */
  dir: string;
  mirrors?: readonly string[];
  files?: readonly PublishedFile[];
  /** Stops the download; what has arrived stays for the next time. */
  signal?: AbortSignal;
  onProgress?: (progress: DownloadProgress) => void;
  /** A mirror that sends less than `leastBytes` in this time is abandoned. Default 30,000. */
  idleMs?: number;
  /** Default 30,720: one kibibyte a second. */
  leastBytes?: number;
}

export interface DownloadResult {
  dir: string;
  files: { name: string; state: 'downloaded' | 'present' }[];
}

/**
 * Downloads the four files of MNIST into a folder. Those that are there already stay as they are.
 *
 * @throws DataError if no mirror can be reached (it says which files to put where), when a file of
 * the same name holds something else, when the disk is full, and when the signal stops it
 */
export async function downloadMnist(options: DownloadOptions): Promise<DownloadResult> {
  const { dir, mirrors = MNIST_MIRRORS, files = MNIST_FILES } = options;
  await mkdir(dir, { recursive: true }).catch((error: Error) => {
    throw new DataError(`${dir}: cannot be made: ${error.message}`);
  });
  const result: DownloadResult = { dir, files: [] };
  const missing: PublishedFile[] = [];
  for (const file of files) {
    if (await isPresent(dir, file)) result.files.push({ name: file.name, state: 'present' });
    else missing.push(file);
  }
  while (missing.length > 0) {
    const file = missing[0];
    const failures: string[] = [];
    for (const mirror of mirrors) {
      const failure = await fetchFile(file, mirror, options);
      if (failure === undefined) break;
      failures.push(`${new URL(mirror).host}: ${failure}`);
    }
    if (failures.length === mirrors.length) {
      const names = missing.map(({ name }) => name).join(', ');
      throw new DataError(
        `mnist: ${file.name} could not be downloaded (${failures.join('; ')})`,
        `put these files of any copy of MNIST into ${dir}: ${names}`,
      );
    }
    result.files.push({ name: file.name, state: 'downloaded' });
    missing.shift();
  }
  return result;
}

async function isPresent(dir: string, file: PublishedFile): Promise<boolean> {
  for (const name of [file.name, file.name.replace(/\.gz$/, '')]) {
    const path = join(dir, name);
    if ((await sizeOf(path)) === undefined) continue;
    if (await holdsPublished(path, file).catch(() => false)) return true;
    throw new DataError(
      `${path}: is there, but does not hold what MNIST's file of that name holds`,
      'move it away, or download into another folder (--dir)',
    );
  }
  return false;
}

/** Bytes of a file, or undefined if there is none. */
async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    (info) => info.size,
    () => undefined,
  );
}

/** Fetches a file from one mirror; returns why it did not work, if it did not. */
async function fetchFile(
  file: PublishedFile,
  mirror: string,
  options: DownloadOptions,
): Promise<string | undefined> {
  const part = join(options.dir, `${file.name}.part`);
  // The second attempt is for a part that was not the beginning of this file.
  for (let attempt = 0; attempt < 2; attempt++) {
    let resumedAt = (await sizeOf(part)) ?? 0;
    if (resumedAt > mostBytes(file)) {
      await rm(part, { force: true });
      resumedAt = 0;
    }
    const failure = await receive(file, part, resumedAt, mirror, options);
    if (failure !== undefined) return failure;
    if (await isComplete(part, file)) {
      await rename(part, join(options.dir, file.name));
      return undefined;
    }
    await rm(part, { force: true });
    if (resumedAt === 0) break;
  }
  return 'what it sends has another check sum';
}

async function isComplete(part: string, file: PublishedFile): Promise<boolean> {
  const md5 = createHash('md5');
  await pipeline(createReadStream(part), md5);
  if (md5.digest('hex') === file.md5) return true;
  // A mirror may have packed the same bytes anew.
  return holdsPublished(part, file).catch(() => false);
}

/** Gives up a mirror that sends too little. */
class Patience {
  private readonly controller = new AbortController();
  private bytes = 0;
  private timer: NodeJS.Timeout;

  constructor(
    private readonly idleMs: number,
    private readonly leastBytes: number,
  ) {
    this.timer = this.start();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Why it was given up. */
  get reason(): string {
    const came = this.bytes === 0 ? 'nothing' : `only ${this.bytes} bytes`;
    return `${came} arrived for ${this.idleMs / 1000} s`;
  }

  received(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes < this.leastBytes) return;
    this.bytes = 0;
    clearTimeout(this.timer);
    this.timer = this.start();
  }

  end(): void {
    clearTimeout(this.timer);
  }

  private start(): NodeJS.Timeout {
    return setTimeout(() => this.controller.abort(), this.idleMs);
  }
}

/** Appends to the part what is missing of it; returns why the mirror failed, if it did. */
async function receive(
  file: PublishedFile,
  part: string,
  resumedAt: number,
  mirror: string,
  options: DownloadOptions,
): Promise<string | undefined> {
  const { signal, idleMs = 30_000, leastBytes = 30 * 1024 } = options;
  const patience = new Patience(idleMs, leastBytes);
  const stop = signal ? AbortSignal.any([signal, patience.signal]) : patience.signal;
  try {
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (resumedAt > 0) headers.range = `bytes=${resumedAt}-`;
    const response = await fetch(new URL(file.name, mirror), { headers, signal: stop });
    // Nothing is left to send: the checksum decides whether the part is complete.
    if (response.status === 416) return undefined;
    if (!response.ok || response.body === null) return `HTTP status ${response.status}`;
    const isResumed = response.headers.get('content-range')?.startsWith(`bytes ${resumedAt}-`);
    const begin = response.status === 206 && isResumed === true ? resumedAt : 0;
    if (response.status === 206 && begin !== resumedAt) return 'it does not resume where asked';
    const totalBytes = announcedBytes(response, begin);
    const place = { part, begin, totalBytes, mirror };
    return await keep(response.body, file, place, (bytes) => patience.received(bytes), options);
  } catch (error) {
    if (error instanceof DataError) throw error;
    if (signal?.aborted) {
      throw new DataError(
        `mnist: the download of ${file.name} was stopped`,
        'run the same command again: it goes on where it was',
      );
    }
    return patience.signal.aborted ? patience.reason : networkReason(error as Error);
  } finally {
    patience.end();
  }
}

/** Writes what arrives, unless it is more than the file can be. */
async function keep(
  body: AsyncIterable<Uint8Array>,
  file: PublishedFile,
  place: { part: string; begin: number; totalBytes: number | undefined; mirror: string },
  onReceived: (bytes: number) => void,
  { onProgress }: DownloadOptions,
): Promise<string | undefined> {
  const { part, begin, totalBytes, mirror } = place;
  const most = mostBytes(file);
  const tooLong = (came: string): string => `expected at most ${most} bytes, got ${came}`;
  if (totalBytes !== undefined && totalBytes > most) return tooLong(String(totalBytes));
  let receivedBytes = begin;
  const target = await openPart(part, begin);
  try {
    for await (const chunk of body) {
      onReceived(chunk.length);
      receivedBytes += chunk.length;
      if (receivedBytes > most) break;
      await write(target, chunk, part);
      onProgress?.({ file: file.name, mirror, receivedBytes, totalBytes });
    }
  } finally {
    await target.close();
  }
  if (receivedBytes <= most) return undefined;
  // What has come is not the beginning of this file.
  await rm(part, { force: true });
  return tooLong('more');
}

/** A mirror may have packed the file anew, but no packing makes it larger than what is in it and a little. */
function mostBytes({ unpackedBytes }: PublishedFile): number {
  return unpackedBytes + (unpackedBytes >> 8) + 1024;
}

/** How long the file is, where the mirror tells; packed for the transport, its length says nothing. */
function announcedBytes({ headers }: Response, begin: number): number | undefined {
  const encoding = headers.get('content-encoding') ?? 'identity';
  const length = Number(headers.get('content-length'));
  return encoding === 'identity' && length > 0 ? begin + length : undefined;
}

type PartFile = Awaited<ReturnType<typeof open>>;

async function openPart(part: string, begin: number): Promise<PartFile> {
  return open(part, begin > 0 ? 'a' : 'w').catch((error: Error) => {
    throw new DataError(`${part}: cannot be written: ${error.message}`);
  });
}

async function write(target: PartFile, chunk: Uint8Array, part: string): Promise<void> {
  try {
    await target.writeFile(chunk);
  } catch (error) {
    // A full disk is no fault of the mirror: the next one would not help.
    throw new DataError(`${part}: cannot be written: ${(error as Error).message}`);
  }
}

/** fetch hides the reason (no such host, connection refused) in the cause. */
function networkReason(error: Error): string {
  const cause = error.cause as (Error & { code?: string }) | undefined;
  return cause?.code ?? cause?.message ?? error.message;
}
