/** What the tests of the data pipeline share. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { MemoryDataset, numberedClasses } from '../../src/data/dataset.js';

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tilegrad-data-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A data set of 1×1 images in which pixel = index, label = index % classCount. */
export function countingDataset(size: number, classCount = 2, groups?: number[]): MemoryDataset {
  const indices = Array.from({ length: size }, (_, index) => index);
  return new MemoryDataset({
    name: 'counting',
    imageShape: [1, 1, 1],
    classNames: numberedClasses(classCount),
    labels: Int32Array.from(indices, (index) => index % classCount),
    images: Uint8Array.from(indices),
    groups: groups && Int32Array.from(groups),
  });
}

/** Bytes of an idx file. */
export function idxBytes(shape: number[], values: ArrayLike<number>): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header[2] = 8;
  header[3] = shape.length;
  shape.forEach((extent, axis) => header.writeUInt32BE(extent, 4 + 4 * axis));
  return Buffer.concat([header, Buffer.from(Uint8Array.from(values))]);
}

/** The error an asynchronous call ends with. */
export async function errorOf(work: Promise<unknown> | (() => unknown)): Promise<Error> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected an error, but the call succeeded');
}
