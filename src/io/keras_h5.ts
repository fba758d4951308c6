import type * as h5wasm from 'h5wasm';
import type { Group } from 'h5wasm';
import { readFileSync } from 'node:fs';
import { DataError } from '../gpu/errors.js';
import { writeFileAtomically } from './atomic_file.js';
import { layersOf, type NamedTensor, type SourceLayer } from './weights/types.js';

/*
 * Weights of Keras in HDF5. Keras 2 lists its layers and their tensors in attributes (`layer_names`,
 * `weight_names`), at the root or, in the file of a whole model, below `model_weights`. Keras 3
 * (`*.weights.h5`) has a folder for each layer, with the tensors numbered in its `vars`.
 */

type Library = typeof h5wasm;

interface OpenFile {
  library: Library;
  root: Group;
}

/** Loads the HDF5 library, which nothing else needs. Its own complaints become exceptions. */
async function loadLibrary(): Promise<Library> {
  const library = await import('h5wasm');
  const module = await library.ready;
  module.activate_throwing_error_handler();
  return library;
}

let count = 0;

/** A name in the library's own file system, which lies in memory. */
function scratchName(): string {
  return `/weights-${count++}.h5`;
}

/**
 * The layers of a Keras weight file, in its order; optimizer state and random seeds are left out.
 *
 * Errors: DataError where the file is damaged or holds no weights of Keras.
 */
export async function readKerasLayers(path: string): Promise<SourceLayer[]> {
  const library = await loadLibrary();
  const { FS } = await library.ready;
  const name = scratchName();
  FS.writeFile(name, readFileSync(path));
  try {
    const file = new library.File(name, 'r');
    try {
      const open = { library, root: file };
      const layers = hasAttribute(file, 'layer_names')
        ? readKeras2(open, file)
        : isGroup(open, file, 'model_weights')
          ? readKeras2(open, file.get('model_weights') as Group)
          : readKeras3(open);
      if (layers.length > 0) return layers;
    } finally {
      file.close();
    }
  } catch (cause) {
    if (cause instanceof DataError) throw new DataError(`${path}: ${cause.message}`);
    throw new DataError(
      `${path}: damaged: not readable as HDF5: ${reasonOf(cause)}`,
      'fetch or save the file again',
    );
  } finally {
    FS.unlink(name);
  }
  throw new DataError(
    `${path}: an HDF5 file, but without weights of Keras: expected the attribute layer_names, the group model_weights, or layers with vars`,
    'pass what save_weights or model.save wrote',
  );
}

/** The innermost line of the library's account. */
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const lines = [...text.matchAll(/ in \w+\(\): (.*)/g)];
  return lines.at(-1)?.[1] ?? text.split('\n')[0];
}

function hasAttribute(group: Group, name: string): boolean {
  return Object.keys(group.attrs).some((key) => key === name || key === `${name}0`);
}

function isGroup({ library }: OpenFile, group: Group, name: string): boolean {
  return group.keys().includes(name) && group.get(name) instanceof library.Group;
}

/** A list of names; long ones are cut into several attributes: name0, name1 and so on. */
function namesIn(group: Group, attribute: string): string[] {
  const { attrs } = group;
  if (attribute in attrs) return (attrs[attribute].value as string[] | null) ?? [];
  const names: string[] = [];
  for (let i = 0; `${attribute}${i}` in attrs; i++) {
    names.push(...(attrs[`${attribute}${i}`].value as string[]));
  }
  return names;
}

const fields: Readonly<Record<string, string>> = {
  kernel: 'weight',
  depthwise_kernel: 'weight',
  moving_mean: 'runningMean',
  moving_variance: 'runningVariance',
};

function readKeras2(open: OpenFile, root: Group): SourceLayer[] {
  const entries: [string, string, NamedTensor][] = [];
  for (const layer of namesIn(root, 'layer_names')) {
    const group = groupOf(open, root, layer);
    for (const name of namesIn(group, 'weight_names')) {
      // A network inside a network is one layer here; its own layers are in the tensors' names.
      const parts = name.replace(/:\d+$/, '').split('/');
      const leaf = parts.pop()!.replace(/_\d+$/, '');
      const tensor = tensorOf(open, group.get(name), name);
      if (tensor) {
        entries.push([parts.length > 0 ? parts.join('/') : layer, fields[leaf] ?? leaf, tensor]);
      }
    }
  }
  return layersOf(entries);
}

function groupOf({ library }: OpenFile, root: Group, name: string): Group {
  const group = root.get(name);
  if (group instanceof library.Group) return group;
  throw new DataError(`${name}: listed in the file, but not there`, 'save the file again');
}

function readKeras3(open: OpenFile): SourceLayer[] {
  const entries: [string, string, NamedTensor][] = [];
  const visit = (group: Group, path: string): void => {
    for (const key of group.keys()) {
      // Neither the optimizer's state nor a dropout's random state are weights.
      if ((path === '' && key === 'optimizer') || key === 'seed_generator') continue;
      if (!isGroup(open, group, key)) continue;
      const child = group.get(key) as Group;
      if (key === 'vars') entries.push(...numbered(open, child, path));
      else visit(child, path === '' ? key : `${path}/${key}`);
    }
  };
  visit(open.root, '');
  return layersOf(entries);
}

/** The tensors of one layer; what each is follows from their ranks. */
function numbered(open: OpenFile, vars: Group, layer: string): [string, string, NamedTensor][] {
  const tensors = vars
    .keys()
    .sort((a, b) => Number(a) - Number(b))
    .flatMap((key) => tensorOf(open, vars.get(key), `${layer}/vars/${key}`) ?? []);
  const isNorm = tensors.length === 4 && tensors.every(({ shape }) => shape.length === 1);
  const names = isNorm ? ['gamma', 'beta', 'runningMean', 'runningVariance'] : ['weight', 'bias'];
  return tensors.map((tensor, i) => [layer, names[i] ?? String(i), tensor]);
}

/** H5T_FLOAT of the format. */
const FLOAT_CLASS = 1;

function tensorOf({ library }: OpenFile, entity: unknown, name: string): NamedTensor | null {
  if (!(entity instanceof library.Dataset)) {
    throw new DataError(`${name}: listed in the file, but not there`, 'save the file again');
  }
  const { shape, metadata } = entity;
  if (metadata.type === FLOAT_CLASS && metadata.size === 2) {
    throw new DataError(
      `${name}: its values are 16-bit floats, expected 32 or 64 bits`,
      'save the weights as float32',
    );
  }
  const { value } = entity;
  if (typeof value === 'number') return { name, shape: [], data: Float32Array.of(value) };
  if (!shape || !ArrayBuffer.isView(value)) return null;
  const data =
    value instanceof BigInt64Array || value instanceof BigUint64Array
      ? Float32Array.from(value, Number)
      : Float32Array.from(value as unknown as ArrayLike<number>);
  return { name, shape, data };
}

/** A layer to write, with its tensors in the order in which Keras makes them. */
export interface KerasLayer {
  name: string;
  tensors: readonly NamedTensor[];
}

/**
 * Writes layers as Keras 2's save_weights does; a tensor `kernel` of the layer `conv2d` gets the
 * name `conv2d/kernel:0`. An existing file is replaced in one step or not at all.
 *
 * Errors: DataError when the file cannot be written.
 */
export async function writeKerasLayers(path: string, layers: readonly KerasLayer[]): Promise<void> {
  const library = await loadLibrary();
  const { FS } = await library.ready;
  const name = scratchName();
  try {
    const file = new library.File(name, 'w');
    setNames(
      file,
      'layer_names',
      layers.map((layer) => layer.name),
    );
    file.create_attribute('backend', 'tensorflow');
    file.create_attribute('keras_version', '2.15.0');
    for (const layer of layers) {
      const group = file.create_group(layer.name);
      const names = layer.tensors.map((tensor) => `${layer.name}/${tensor.name}:0`);
      setNames(group, 'weight_names', names);
      const inner = group.create_group(layer.name);
      for (const { name: leaf, shape, data } of layer.tensors) {
        inner.create_dataset({ name: `${leaf}:0`, data, shape: [...shape], dtype: '<f4' });
      }
    }
    file.close();
    writeFileAtomically(path, [FS.readFile(name)]);
  } finally {
    if (FS.analyzePath(name).exists) FS.unlink(name);
  }
}

/** HDF5 keeps an attribute in the object's header, which holds less than 64 KiB. */
const MOST_ATTRIBUTE_BYTES = 60_000;

function setNames(group: Group, attribute: string, names: readonly string[]): void {
  const width = Math.max(1, ...names.map((name) => Buffer.byteLength(name)));
  const each = Math.floor(MOST_ATTRIBUTE_BYTES / width);
  if (names.length <= each) {
    group.create_attribute(attribute, [...names], [names.length], `S${width}`);
    return;
  }
  for (let i = 0; i * each < names.length; i++) {
    const part = names.slice(i * each, (i + 1) * each);
    group.create_attribute(`${attribute}${i}`, part, [part.length], `S${width}`);
  }
}
