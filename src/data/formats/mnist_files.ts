/** The four files of MNIST as published, and how to tell them. */
import { createHash } from 'node:crypto';
import { readMaybeGzip } from './gzip.js';

export interface PublishedFile {
  name: string;
  /** Of the idx file in the archive. */
  unpackedBytes: number;
  /** Of the archive as published. */
  md5: string;
  /** Of what is in it, which stays the same when somebody packs it anew. */
  sha256: string;
}

export const MNIST_FILES: readonly PublishedFile[] = [
  {
    name: 'train-images-idx3-ubyte.gz',
    unpackedBytes: 47_040_016,
    md5: 'f68b3c2dcbeaaa9fbdd348bbdeb94873',
    sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  },
  {
    name: 'train-labels-idx1-ubyte.gz',
    unpackedBytes: 60_008,
    md5: 'd53e105ee54ea40749a09fcbcd1e9432',
    sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  },
  {
    name: 't10k-images-idx3-ubyte.gz',
    unpackedBytes: 7_840_016,
    md5: '9fb629c4189551a2d022fa330f9573f3',
    sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  },
  {
    name: 't10k-labels-idx1-ubyte.gz',
    unpackedBytes: 10_008,
    md5: 'ec29112dd5afa0611ce80d1b7f02629c',
    sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  },
];

/** Whether a file, packed or not, holds exactly the published bytes. */
export async function holdsPublished(file: string, published: PublishedFile): Promise<boolean> {
  const { unpackedBytes, sha256 } = published;
  const { bytes, isTruncated, isCut } = await readMaybeGzip(file, () => unpackedBytes);
  if (isTruncated || isCut) return false;
  return createHash('sha256').update(bytes).digest('hex') === sha256;
}
