import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkDataset } from '../../src/data/check.js';
import { downloadMnist } from '../../src/data/download.js';
import { openDataset } from '../../src/data/open/open.js';

/** The real images, beside the repository or where TILEGRAD_DATA says. */
const DATA =
  process.env.TILEGRAD_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
const FOLDER = join(DATA, 'mnist');
const isThere = existsSync(FOLDER);
if (!isThere) {
  process.stdout.write(
    `skipped: no MNIST in ${FOLDER}; set TILEGRAD_DATA to a folder with mnist/\n`,
  );
}

describe.skipIf(!isThere)('the real MNIST', () => {
  it('opens with 60,000 and 10,000 images', async () => {
    const { train, test } = await openDataset(FOLDER);
    expect([train.size, test!.size]).toEqual([60_000, 10_000]);
    expect(train.imageShape).toEqual([28, 28, 1]);
    expect([...train.labels.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    expect([...test!.labels.subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    const counts = new Array<number>(10).fill(0);
    for (const label of train.labels) counts[label]++;
    expect(counts).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    // The published mean brightness, 0.1307 of full.
    const pixels = await train.read(Int32Array.from({ length: 60_000 }, (_, index) => index));
    let sum = 0;
    for (const pixel of pixels) sum += pixel;
    expect(sum / pixels.length / 255).toBeCloseTo(0.1307, 4);
  });

  it('is recognised by its contents, whoever packed it', async () => {
    const report = await checkDataset(FOLDER);
    expect(report.problems).toEqual([]);
    expect(report.notes).toEqual([`${FOLDER}: 4 files hold the same bytes as the published MNIST`]);
    const { files } = await downloadMnist({ dir: FOLDER, mirrors: [] });
    expect(files.map(({ state }) => state)).toEqual(['present', 'present', 'present', 'present']);
  });
});
