/** Every format that the program reads: a small valid file, and the reader. */
import type { Group } from 'h5wasm';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { gzipSync } from 'node:zlib';
import {
  decodeImage,
  openDataset,
  PackFile,
  PackWriter,
  parsePortableMap,
  readIdx,
} from '../../src/data/index.js';
import { readTable, wholeField } from '../../src/data/formats/table.js';
import { loadHdf5, scratchName } from '../../src/io/hdf5.js';
import { writeKerasLayers } from '../../src/io/keras_h5.js';
import { formatNpy, formatNpz, readNpy, readNpz } from '../../src/io/npy.js';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.js';
import { readWeights } from '../../src/io/weights/index.js';
import { formatChoices, parseChoices } from '../../src/tune/choice_cache.js';
import { freshProgress, readCheckpoint, readModelFile } from '../../src/train/checkpoint.js';
import { readConfigFile, readRunConfig, type RunConfig } from '../../src/train/run_config.js';
import { defaultSettings } from '../../src/train/settings.js';

export interface Subject {
  name: string;
  /** The file's name, in the folder `place` where that is given. */
  file: string;
  place?: string;
  bytes: Uint8Array;
  /** Packs damaged contents into a sound file. */
  wrap?(bytes: Buffer): Buffer;
  isText?: boolean;
  /** The file is a part of the command. */
  isCommand?: boolean;
  read(path: string): unknown;
}

/** Writes what the readers find beside the damaged files, and gives all subjects. */
export async function makeSubjects(folder: string): Promise<Subject[]> {
  return [
    ...dataSubjects(folder),
    ...(await imageSubjects()),
    ...weightSubjects(folder),
    ...(await hdf5Subjects(folder)),
    ...runSubjects(folder),
    ...(await cacheSubjects(folder)),
  ];
}

async function open(place: string): Promise<void> {
  const parts = await openDataset(place);
  for (const part of [parts.train, parts.test]) await part?.close();
}

function idx(shape: readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header[2] = 8;
  header[3] = shape.length;
  shape.forEach((extent, axis) => header.writeUInt32BE(extent, 4 + 4 * axis));
  return Buffer.concat([
    header,
    Buffer.alloc(
      shape.reduce((a, b) => a * b, 1),
      1,
    ),
  ]);
}

function dataSubjects(folder: string): Subject[] {
  for (const name of ['cifar', 'cifar100', 'arrays', 'mnist']) mkdirSync(join(folder, name));
  const images = { shape: [4, 3, 3], values: new Uint8Array(36).fill(7) };
  const labels = { shape: [4], values: BigInt64Array.of(0n, 1n, 2n, 3n) };
  writeFileSync(join(folder, 'arrays', 'Y.npy'), formatNpy(labels));
  writeFileSync(join(folder, 'mnist', 'train-labels-idx1-ubyte'), idx([4]));
  const record = (labelBytes: number): Buffer => Buffer.alloc(2 * (3072 + labelBytes), 1);
  for (const name of [1, 2, 3, 4].map((part) => `data_batch_${part}.bin`)) {
    writeFileSync(join(folder, 'cifar', name), record(1));
  }
  writeFileSync(join(folder, 'cifar100', 'train.bin'), record(2));
  const names = Array.from({ length: 100 }, (_, index) => `name${index}`).join('\n');
  const csv = Buffer.from('label,a,b,c,d\n1,2,3,4,5\n\n6, 7,8,9,255\n9,0,0,0,0\n');
  const arrays = formatNpz(
    new Map<string, typeof images | typeof labels>([
      ['x', images],
      ['y', labels],
    ]),
  );
  const opened = (
    name: string,
    file: string,
    bytes: Uint8Array,
    more: Partial<Subject> = {},
  ): Subject => ({
    ...{ name, file, bytes, read: open },
    ...more,
  });
  const inFolder = (place: string): Partial<Subject> => ({
    place,
    read: () => open(join(folder, place)),
  });
  return [
    { name: 'idx images', file: 'a-idx3', bytes: idx([3, 4, 4]), read: (path) => readIdx(path, 3) },
    { name: 'idx labels', file: 'a-idx1', bytes: idx([9]), read: (path) => readIdx(path, 1) },
    {
      name: 'idx in gzip',
      file: 'a-idx3.gz',
      bytes: idx([3, 4, 4]),
      wrap: (bytes) => gzipSync(bytes),
      read: (path) => readIdx(path, 3),
    },
    {
      name: 'gzip of idx',
      file: 'b-idx3.gz',
      bytes: gzipSync(idx([3, 4, 4])),
      read: (path) => readIdx(path, 3),
    },
    opened('MNIST folder', 'train-images-idx3-ubyte', idx([4, 3, 3]), inFolder('mnist')),
    opened('CSV', 'a.csv', csv, { isText: true }),
    opened('CSV in gzip', 'a.csv.gz', csv, { isText: true, wrap: (bytes) => gzipSync(bytes) }),
    opened('CIFAR-10', 'data_batch_5.bin', record(1), inFolder('cifar')),
    opened('CIFAR-100 names', 'fine_label_names.txt', Buffer.from(names), {
      isText: true,
      ...inFolder('cifar100'),
    }),
    {
      name: 'npy',
      file: 'a.npy',
      bytes: formatNpy(images),
      isText: true,
      read: (path) => readNpy(path),
    },
    {
      name: 'npy of Fortran',
      file: 'f.npy',
      bytes: Buffer.from(
        Buffer.from(formatNpy(images)).toString('latin1').replace('False', 'True '),
        'latin1',
      ),
      read: (path) => readNpy(path),
    },
    opened('npy folder', 'X.npy', formatNpy(images), { isText: true, ...inFolder('arrays') }),
    opened('npz', 'a.npz', arrays),
    {
      name: 'npz, all of it',
      file: 'b.npz',
      bytes: arrays,
      read: (path) => [...readNpz(path).values()].map((array) => array()),
    },
    {
      name: 'table',
      file: 'GT.csv',
      isText: true,
      bytes: Buffer.from('Filename;Width;ClassId\na.ppm;30;0\nb.ppm;40;12\n'),
      read: async (path) => {
        for (const row of await readTable(path, ['Filename', 'Width']))
          wholeField(path, row, 'Width', 1, 999);
      },
    },
  ];
}

async function imageSubjects(): Promise<Subject[]> {
  const pixels = Buffer.from(Uint8Array.from({ length: 12 * 10 * 3 }, (_, i) => (i * 37) & 255));
  const image = sharp(pixels, { raw: { width: 12, height: 10, channels: 3 } });
  const packed = await Promise.all(
    (['png', 'jpeg', 'webp'] as const).map((kind) => image.clone().toFormat(kind).toBuffer()),
  );
  const read = (path: string): Promise<Uint8Array> => decodeImage(path, [8, 8], 3);
  const map = (header: string, size: number): Buffer =>
    Buffer.concat([Buffer.from(header), pixels.subarray(0, size)]);
  return [
    { name: 'PNG', file: 'a.png', bytes: packed[0], read },
    { name: 'JPEG', file: 'a.jpg', bytes: packed[1], read },
    { name: 'WebP', file: 'a.webp', bytes: packed[2], read },
    { name: 'PPM', file: 'a.ppm', bytes: map('P6 # a\n10 12\n255\n', 360), isText: true, read },
    {
      name: 'PGM of 16 bits',
      file: 'a.pgm',
      bytes: map('P5\n10 12 65535\n', 240),
      isText: true,
      read: (path) => parsePortableMap(readFileSync(path), path),
    },
  ];
}

/** A safetensors file with any header in front of values. */
function withHeader(header: Uint8Array, values: Uint8Array): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, values]);
}

const tensors = new Map([
  ['conv.weight', { shape: [2, 1, 2, 2], data: new Float32Array(8) }],
  ['conv.bias', { shape: [2], data: new Float32Array(2) }],
  ['bn.running_mean', { shape: [2], data: new Float32Array(2) }],
  ['bn.num_batches_tracked', { shape: [], data: BigInt64Array.of(5n) }],
]);

function weightSubjects(folder: string): Subject[] {
  const path = join(folder, 'sound.safetensors');
  writeSafetensors(path, { tensors, metadata: { format: 'pt' } });
  const bytes = readFileSync(path);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const values = bytes.subarray(start);
  return [
    {
      name: 'safetensors',
      file: 'a.safetensors',
      bytes,
      isText: true,
      read: (path) => readSafetensors(path),
    },
    {
      name: 'safetensors header',
      file: 'b.safetensors',
      bytes: bytes.subarray(8, start),
      isText: true,
      wrap: (header) => withHeader(header, values),
      read: (path) => readWeights(path),
    },
  ];
}

async function hdf5Subjects(folder: string): Promise<Subject[]> {
  const path = join(folder, 'sound.h5');
  const kernel = { name: 'kernel', shape: [2, 2, 1, 2], data: new Float32Array(8) };
  await writeKerasLayers(path, [
    { name: 'conv', tensors: [kernel] },
    { name: 'dense', tensors: [{ name: 'bias', shape: [2], data: new Float32Array(2) }] },
  ]);
  const library = await loadHdf5();
  const { FS } = await library.ready;
  const made = (fill: (root: Group) => void): Uint8Array => {
    const name = scratchName();
    const file = new library.File(name, 'w');
    fill(file);
    file.close();
    return FS.readFile(name);
  };
  const data = new Float32Array(4);
  const numbered = made((root) => {
    root.create_group('layers').create_group('dense').create_group('vars');
    root.create_dataset({ name: 'layers/dense/vars/0', data, shape: [2, 2] });
    root.create_dataset({
      name: 'layers/dense/vars/1',
      data,
      shape: [4],
      chunks: [2],
      compression: 'gzip',
    });
  });
  const whole = made((root) => {
    const group = root.create_group('model_weights');
    group.create_attribute('layer_names', ['a']);
    group.create_group('a').create_attribute('weight_names', ['kernel:0']);
    root.create_dataset({ name: 'model_weights/a/kernel:0', data, shape: [2, 2] });
  });
  const read = (file: string): Promise<unknown> => readWeights(file);
  return [
    { name: 'Keras 2', file: 'a.h5', bytes: readFileSync(path), read },
    { name: 'Keras 3', file: 'b.h5', bytes: numbered, read },
    { name: 'Keras model', file: 'c.h5', bytes: whole, read },
  ];
}

function runSubjects(folder: string): Subject[] {
  const config: RunConfig = {
    ...defaultSettings(),
    ...{ recipe: 'mnist', data: 'data', imageShape: [8, 8, 1], sourceShape: [4, 4, 1] },
    ...{ classNames: ['a', 'b'], variants: { conv2d: 'naive' } },
  };
  const row = {
    ...{ epoch: 1, loss: 1, accuracy: 0.5, valLoss: 1, valAccuracy: 0.5, learningRate: 0.1 },
    ...{ seconds: 1, imagesPerSecond: 9, inputSeconds: 0 },
  };
  const progress = {
    ...freshProgress(7),
    ...{ epoch: 1, step: 3, history: [row], plateau: { lr: 0.1, best: 1, waited: 0, cooling: 0 } },
    lossScale: { scale: 1024, goodSteps: 1, skippedSteps: 0, steps: 3 },
    validations: [{ step: 2, epoch: 0.5, valLoss: 1, valAccuracy: 0.5 }],
  };
  const texts = {
    format: 'tilegrad-checkpoint-1',
    config: JSON.stringify(config),
    progress: JSON.stringify(progress),
    optimizer: JSON.stringify({ lr: 0.1, 'a.step': 3 }),
  };
  const scratch = join(folder, 'scratch.safetensors');
  const saved = (changed: Partial<typeof texts>): Buffer => {
    writeSafetensors(scratch, { tensors, metadata: { ...texts, ...changed } });
    return readFileSync(scratch);
  };
  const readBoth = (path: string): void => {
    readCheckpoint(path);
    readModelFile(path);
  };
  const inside = (key: keyof typeof texts, read: Subject['read']): Subject => ({
    ...{ name: `${key} of a checkpoint`, file: `${key}.safetensors`, isText: true, read },
    bytes: Buffer.from(texts[key]),
    wrap: (bytes) => saved({ [key]: bytes.toString() }),
  });
  mkdirSync(join(folder, 'run'));
  const settings = Buffer.from(texts.config);
  return [
    {
      name: 'checkpoint',
      file: 'last.safetensors',
      bytes: saved({}),
      isText: true,
      read: readBoth,
    },
    inside('config', (path) => readModelFile(path)),
    inside('progress', (path) => readCheckpoint(path)),
    inside('optimizer', (path) => readCheckpoint(path)),
    inside('format', (path) => readModelFile(path)),
    {
      name: 'config.json',
      file: 'config.json',
      place: 'run',
      bytes: settings,
      isText: true,
      read: () => readRunConfig(join(folder, 'run')),
    },
    {
      name: 'settings',
      file: 'settings.json',
      bytes: settings,
      isText: true,
      isCommand: true,
      read: (path) => readConfigFile(path),
    },
  ];
}

async function cacheSubjects(folder: string): Promise<Subject[]> {
  const contents = { key: 'key', imageShape: [2, 2, 1] as [number, number, number], leftOut: [] };
  const path = join(folder, 'sound.pack');
  const writer = await PackWriter.begin(path, 12);
  await writer.append(new Uint8Array(12));
  await writer.finish(contents);
  const identity = { version: '1', adapter: 'a', shaders: 'b' };
  const choices = Buffer.from(formatChoices(identity, { conv2d: 'naive' }));
  return [
    {
      name: 'pack',
      file: 'a.pack',
      bytes: readFileSync(path),
      read: async (path) => {
        const pack = await PackFile.open(path, 'key');
        if (!pack) return;
        await pack.read(0, pack.count, new Uint8Array(pack.count * pack.imageBytes));
        await pack.close();
      },
    },
    {
      name: 'tuned choices',
      file: 'choices.json',
      bytes: choices,
      isText: true,
      read: (path) => parseChoices(readFileSync(path, 'utf8'), identity),
    },
  ];
}
