/** HDF5 files whose links, sizes and filters must not be believed. */
import type { Group } from 'h5wasm';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { loadHdf5, scratchName } from '../../src/io/hdf5.js';
import { readWeights } from '../../src/io/weights/index.js';
import { errorOf, temporaryFolder } from '../data/helpers.js';
import { measured } from '../helpers/measured.js';

/** A file that `fill` writes. */
async function written(fill: (root: Group) => void): Promise<string> {
  const library = await loadHdf5();
  const { FS } = await library.ready;
  const name = scratchName();
  const file = new library.File(name, 'w');
  fill(file);
  file.close();
  const path = join(temporaryFolder(), 'weights.h5');
  writeFileSync(path, FS.readFile(name));
  FS.unlink(name);
  return path;
}

/** The tensors of a layer, as Keras 3 has them. */
function tensors(root: Group, compression?: 'gzip'): void {
  const data = Float32Array.from({ length: 4096 }, (_, i) => i);
  const chunked = compression ? { chunks: [16, 16], compression } : {};
  root.create_group('layer').create_group('vars');
  root.create_dataset({ name: 'layer/vars/0', data, shape: [64, 64], ...chunked });
}

const NO_WEIGHTS = /weights\.h5: an HDF5 file, but without weights of Keras/;

describe('links of an HDF5 file', () => {
  it.each<[string, (root: Group) => void, RegExp]>([
    [
      'that form a ring',
      (root) => {
        root.create_group('g');
        root.create_hard_link('/g', '/g/self');
      },
      NO_WEIGHTS,
    ],
    [
      'that double at each of 30 groups',
      (root) => {
        for (let path = '', i = 0; i < 30; i++, path += '/a') {
          root.create_group(`${path}/a`);
          root.create_hard_link(`${path}/a`, `${path}/b`);
        }
      },
      NO_WEIGHTS,
    ],
    [
      'that nest 200 groups',
      (root) => {
        for (let path = '/g', i = 0; i < 200; i++, path += '/g') root.create_group(path);
      },
      /groups nest deeper than 64/,
    ],
    [
      'that lead nowhere',
      (root) => {
        root.create_soft_link('/none', '/broken');
        root.create_external_link('other.h5', '/', '/outside');
      },
      NO_WEIGHTS,
    ],
    [
      'that name one tensor 3,000 times',
      (root) => {
        tensors(root);
        for (let i = 1; i < 3000; i++) root.create_hard_link('/layer/vars/0', `/layer/vars/${i}`);
      },
      /layer\/vars\/\d+: \[64, 64\] needs 16384 bytes, more than the file can hold\nfix: save/,
    ],
  ])('%s are followed once', async (_, fill, message) => {
    const result = await measured('io/weights/index.js', 'readWeights', await written(fill));
    expect(result.kind).toBe('DataError');
    expect(result.message).toMatch(message);
    expect(result.cpuSeconds).toBeLessThan(1);
    expect(result.peakMiB).toBeLessThan(200);
  });
});

it('a tensor that the file cannot hold is refused before room is taken for it', async () => {
  const path = await written((root) => {
    const data = new Float32Array(1024);
    root.create_group('layer').create_group('vars');
    const name = 'layer/vars/0';
    root
      .create_dataset({ name, data, shape: [1024], maxshape: [null], chunks: [1024] })
      .resize([2 ** 28]);
  });
  const result = await measured('io/weights/index.js', 'readWeights', path);
  expect(result.message).toContain(
    'layer/vars/0: [268435456] needs 1073741824 bytes, more than the file can hold',
  );
  expect(result.cpuSeconds).toBeLessThan(1);
  expect(result.peakMiB).toBeLessThan(200);
});

/** What h5py writes for zeros packed with LZF: our library can neither write nor read that. */
const PACKED_WITH_LZF = inflateSync(
  Buffer.from(
    'eNrr9HBx4+WS4mLm4GCAgf9QwAkVMoCK3+964+nv4RLExFDBJISsEAa4mBgYGRjYeBiAFGPiZph5HgxUAylFqV' +
      '7EOIEf5ASWssSiYjNGqFZXKjlhW2fkKuJDwWAnI/VDIcT0zluwE4AWMIowMDAxMjIKQOVgNLMIA6OggjwDC5in' +
      'wCDOwSBeD2SxAl3HzM0txcAI1F3LAnQjM0NOVRpYHSvQrQ5AmkMGpI6JiVGAhZET2WJYGulgGDTg4JvT3AyjYB' +
      'SMglEwCkgFwBL/gTGIBADuLlZG',
    'base64',
  ),
);

it('reads a compressed tensor, and names a filter that it cannot read', async () => {
  const path = await written((root) => tensors(root, 'gzip'));
  const { layers } = await readWeights(path);
  expect([...layers[0].tensors.values()][0].data[4095]).toBe(4095);
  writeFileSync(path, PACKED_WITH_LZF);
  expect((await errorOf(readWeights(path))).message).toBe(
    `${path}: a/vars/0: its values are compressed with the filter lzf, which is not supported` +
      '\nfix: save the file without lzf',
  );
});

it.each([
  ['free space without a size', 40, 16, 0],
  ['a text longer than it', 24, 8, 0x77],
])('a heap with %s is refused, not walked for ever', async (_, offset, length, value) => {
  const path = await written((root) => root.create_attribute('layer_names', ['a']));
  const bytes = readFileSync(path);
  // The head of the heap, that of the one text with its size at 24, the text, and the free space at 40.
  const heap = bytes.indexOf('GCOL');
  bytes.fill(value, heap + offset, heap + offset + length);
  writeFileSync(path, bytes);
  const result = await measured('io/weights/index.js', 'readWeights', path);
  expect(result.message).toContain('weights.h5: damaged: not readable as HDF5: a heap of texts');
});

it('lists of names must be texts, each of them once', async () => {
  const named = (names: unknown): Promise<string> =>
    written((root) => {
      root.create_group('a');
      root.create_attribute('layer_names', names as string[]);
    });
  expect((await errorOf(readWeights(await named(5)))).message).toContain(
    'weights.h5: /: the attribute layer_names is no list of texts',
  );
  expect((await errorOf(readWeights(await named(['a', 'a'])))).message).toContain(
    'weights.h5: /: lists a twice',
  );
});
