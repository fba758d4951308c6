import type { Group } from 'h5wasm';
import { DataError } from '../errors.js';
import { writeFileAtomically } from './atomic_file.js';
import { loadHdf5, readHdf5, scratchName, type Hdf5File } from './hdf5.js';
import { layersOf, type NamedTensor, type SourceLayer } from './weights/types.js';

/*
 * Weights of Keras in HDF5. Keras 2 lists its layers and their tensors in attributes (`layer_names`,
 * `weight_names`), at the root or, in the file of a whole model, below `model_weights`. Keras 3
 * (`*.weights.h5`) has a folder for each layer, with the tensors numbered in its `vars`.
 */

/**
 * The layers of a Keras weight file, in its order; optimizer state and random seeds are left out.
 *
 * Errors: DataError if the file is damaged or holds no weights of Keras.
 */
export async function readKerasLayers(path: string): Promise<SourceLayer[]> {
  const layers = await readHdf5(path, (file) => {
    if (file.hasTexts(file.root, 'layer_names')) return readKeras2(file, file.root);
    const isWhole = file.root.keys().includes('model_weights');
    const whole = isWhole && file.group(file.root, 'model_weights');
    return whole ? readKeras2(file, whole) : readKeras3(file);
  });
  if (layers.length > 0) return layers;
  throw new DataError(
    `${path}: an HDF5 file, but without weights of Keras: expected the attribute layer_names, the group model_weights, or layers with vars`,
    'pass what save_weights or model.save wrote',
  );
}

const fields: Readonly<Record<string, string>> = {
  kernel: 'weight',
  depthwise_kernel: 'weight',
  moving_mean: 'runningMean',
  moving_variance: 'runningVariance',
};

function readKeras2(file: Hdf5File, root: Group): SourceLayer[] {
  const entries: [string, string, NamedTensor][] = [];
  for (const layer of unique(root, file.texts(root, 'layer_names'))) {
    const group = file.group(root, layer);
    if (!group) {
      throw new DataError(`${layer}: listed in the file, but not there`, 'save the file again');
    }
    for (const name of unique(group, file.texts(group, 'weight_names'))) {
      // A network inside a network is one layer here; its own layers are in the tensors' names.
      const parts = name.replace(/:\d+$/, '').split('/');
      const leaf = parts.pop()!.replace(/_\d+$/, '');
      const tensor = file.numbers(group, name, name);
      if (tensor) {
        const title = parts.length > 0 ? parts.join('/') : layer;
        entries.push([title, fields[leaf] ?? leaf, { name, ...tensor }]);
      }
    }
  }
  return layersOf(entries);
}

function unique(group: Group, names: readonly string[]): readonly string[] {
  if (new Set(names).size === names.length) return names;
  const twice = names.find((name, index) => names.indexOf(name) !== index)!;
  throw new DataError(`${group.path}: lists ${twice} twice`, 'save the file again');
}

function readKeras3(file: Hdf5File): SourceLayer[] {
  const entries: [string, string, NamedTensor][] = [];
  const visit = (group: Group, path: string, depth: number): void => {
    for (const [key, child] of file.newGroups(group, depth)) {
      // Neither the optimizer's state nor a dropout's random state are weights.
      if ((path === '' && key === 'optimizer') || key === 'seed_generator') continue;
      if (key === 'vars') entries.push(...numbered(file, child, path));
      else visit(child, path === '' ? key : `${path}/${key}`, depth + 1);
    }
  };
  visit(file.root, '', 0);
  return layersOf(entries);
}

/** The tensors of one layer; what each is follows from their ranks. */
function numbered(file: Hdf5File, vars: Group, layer: string): [string, string, NamedTensor][] {
  const tensors = vars
    .keys()
    .sort((a, b) => Number(a) - Number(b))
    .flatMap((key): NamedTensor[] => {
      const name = `${layer}/vars/${key}`;
      const tensor = file.numbers(vars, key, name);
      return tensor ? [{ name, ...tensor }] : [];
    });
  const names = tensors.every(({ shape }) => shape.length === 1)
    ? vectorNames(layer, tensors.length)
    : ['weight', 'bias'];
  return tensors.map((tensor, i) => [layer, names[i] ?? String(i), tensor]);
}

/** The vectors of a layer that has nothing else: of batch norm, where its name says so or they are three or four. */
function vectorNames(layer: string, count: number): string[] {
  const statistics = ['runningMean', 'runningVariance'];
  if (count === 4) return ['gamma', 'beta', ...statistics];
  // Without a scale or without a centre: the file does not say which of them is left.
  if (count === 3) return ['scaleOrCenter', ...statistics];
  return count === 2 && layer.includes('batch_norm') ? statistics : ['weight', 'bias'];
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
 * Errors: DataError if the file cannot be written.
 */
export async function writeKerasLayers(path: string, layers: readonly KerasLayer[]): Promise<void> {
  const library = await loadHdf5();
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
