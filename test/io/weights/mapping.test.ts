import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../../src/device.js';
import { DataError } from '../../../src/errors.js';
import { writeKerasLayers } from '../../../src/io/keras_h5.js';
import { writePytorchSafetensors } from '../../../src/io/pytorch_safetensors.js';
import { writeSafetensors } from '../../../src/io/safetensors.js';
import {
  mappingLines,
  mapWeights,
  modelLayers,
  readWeights,
} from '../../../src/io/weights/index.js';
import { kerasLayers } from '../../../src/io/weights/keras_names.js';
import { createModel, EfficientNet, ResNet, ResNetV1 } from '../../../src/models/index.js';
import {
  BatchNorm2d,
  Conv2d,
  Dense,
  DepthwiseConv2d,
  Flatten,
  MaxPool2d,
  Sequential,
  type Module,
} from '../../../src/nn/index.js';
import { initFrom } from '../../../src/train/init_from.js';
import { testDevice } from '../../helpers/device.js';
import { folder, savedState, scatter, valuesOf } from './helpers.js';

const below = folder();
let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

type Format = 'tilegrad' | 'keras' | 'pytorch';
const input = [8, 8, 3];

/** Every kind of layer that is laid out in its own way, with a flattening of 3×3×6. */
function mixed({ classes = 5, channels = 3 } = {}): Module {
  return new Sequential(
    new Conv2d(device, { inChannels: channels, outChannels: 4, kernelSize: 3 }),
    new BatchNorm2d(device, { channels: 4 }),
    new DepthwiseConv2d(device, { inChannels: 4, kernelSize: 3, multiplier: 2, padding: 'same' }),
    new Conv2d(device, { inChannels: 8, outChannels: 6, kernelSize: 1, groups: 2 }),
    new MaxPool2d({ size: 2 }),
    new Flatten(),
    new BatchNorm2d(device, { channels: 54 }),
    new Dense(device, { inFeatures: 54, outFeatures: 7 }),
    new Dense(device, { inFeatures: 7, outFeatures: classes }),
  );
}

function resnet(stages: number[], classes = 4): Module {
  return new ResNet(device, {
    ...{ block: 'bottleneck', stages, width: 4, input: [32, 32, 3], classes },
  });
}

function efficientNet(classes: number): Module {
  const stages = [
    { expansion: 1, kernelSize: 3, stride: 1, outChannels: 4, blocks: 1 },
    { expansion: 2, kernelSize: 3, stride: 2, outChannels: 4, blocks: 2 },
  ];
  return new EfficientNet(device, {
    ...{ stages, stemChannels: 4, headChannels: 8, input: [32, 32, 3], classes },
  });
}

async function write(
  model: Module,
  format: Format,
  name: string,
  shape: readonly number[] = input,
): Promise<string> {
  const path = join(below, name);
  const values = await savedState(model);
  const layers = modelLayers(model, shape);
  if (format === 'keras') await writeKerasLayers(path, kerasLayers(layers, values));
  else if (format === 'pytorch') writePytorchSafetensors(path, layers, values);
  else writeSafetensors(path, { tensors: values, metadata: { format: 'tilegrad-weights-1' } });
  return path;
}

describe('weight files', () => {
  for (const format of ['tilegrad', 'keras', 'pytorch'] as const) {
    it(`${format}: come back whole, each layer laid out in its own way`, async () => {
      const [one, other] = [mixed(), mixed()];
      scatter(one);
      const path = await write(one, format, `mixed-${format}`);
      const report = await initFrom(other, path, { input });
      expect(report).toMatchObject({ format, missing: [], unused: [], mismatched: [] });
      expect(report.matched).toHaveLength(one.stateDict().size);
      expect(await valuesOf(other)).toEqual(await valuesOf(one));
    });
  }

  it('PyTorch layout: filters are K C R S, depthwise C·M 1 R S, dense out in, images C H W', async () => {
    const model = mixed();
    scatter(model);
    const path = await write(model, 'pytorch', 'layout.safetensors');
    const { layers } = await readWeights(path);
    const shapes = layers.flatMap(({ tensors }) =>
      [...tensors.values()].map(({ name, shape }) => `${name} ${shape.join()}`),
    );
    expect(shapes).toEqual([
      ...['0.weight 4,3,3,3', '0.bias 4', '1.weight 4', '1.bias 4'],
      ...['1.running_mean 4', '1.running_var 4', '2.weight 8,1,3,3', '2.bias 8'],
      ...['3.weight 6,4,1,1', '3.bias 6', '6.weight 54', '6.bias 54'],
      ...['6.running_mean 54', '6.running_var 54', '7.weight 7,54', '7.bias 7'],
      ...['8.weight 5,7', '8.bias 5'],
    ]);
    const ours = await valuesOf(model);
    const theirs = (layer: string): Float32Array =>
      layers.find(({ name }) => name === layer)!.tensors.get('weight')!.data;
    // Feature (h 1, w 2, c 4) of 3×3×6 to unit 5; filter tap (r 1, s 2) of channel 2 to 3.
    expect(theirs('7')[5 * 54 + 4 * 9 + 1 * 3 + 2]).toBe(
      ours.get('7.weight')![((1 * 3 + 2) * 6 + 4) * 7 + 5],
    );
    expect(theirs('0')[((3 * 3 + 2) * 3 + 1) * 3 + 2]).toBe(
      ours.get('0.weight')![((1 * 3 + 2) * 3 + 2) * 4 + 3],
    );
    // Channel 2, multiple 1.
    expect(theirs('2')[((2 * 2 + 1) * 3 + 1) * 3 + 2]).toBe(
      ours.get('2.weight')![((1 * 3 + 2) * 4 + 2) * 2 + 1],
    );
  });

  it("Keras: EfficientNet's layers have Keras' names, and are found by them in any order", async () => {
    const [one, other] = [efficientNet(3), efficientNet(5)];
    scatter(one);
    const layers = kerasLayers(modelLayers(one, [32, 32, 3]), await savedState(one));
    const names = layers.map(({ name }) => name);
    expect(names.slice(0, 4)).toEqual(['stem_conv', 'stem_bn', 'block1a_dwconv', 'block1a_bn']);
    expect(names).toContain('block2b_se_reduce');
    expect(names.slice(-3)).toEqual(['top_conv', 'top_bn', 'predictions']);
    // Keras' own network begins with a normalisation layer that ours leaves to the data.
    const mean = { name: 'mean', shape: [3], data: new Float32Array(3) };
    const path = join(below, 'efficient.h5');
    await writeKerasLayers(path, [
      ...[...layers].reverse(),
      { name: 'normalization', tensors: [mean] },
    ]);
    const report = await initFrom(other, path, { input: [32, 32, 3] });
    expect(report.matched.every(({ by }) => by === 'naming')).toBe(true);
    expect(report.unused).toEqual(['predictions/bias:0', 'normalization/mean:0']);
    expect(report.missing).toEqual(['classifier.bias']);
    expect(report.mismatched).toEqual([
      {
        ...{ name: 'classifier.weight', from: 'predictions/kernel:0' },
        ...{ expected: [8, 5], came: [8, 3] },
      },
    ]);
    const [was, is] = [await valuesOf(one), await valuesOf(other)];
    for (const { name } of report.matched) expect(is.get(name), name).toEqual(was.get(name));
    expect(mappingLines(report)).toEqual([
      `weights from ${path} (Keras HDF5): ${was.size - 2} of ${was.size} tensors taken: ${was.size - 2} by Keras' names for this network`,
      '1 of another shape, kept as they were:',
      '  classifier.weight: expected [8, 5], predictions/kernel:0 is [8, 3]',
      '1 not in the file, kept as they were:',
      '  classifier.bias',
      '2 in the file, not taken:',
      '  predictions/bias:0',
      '  normalization/mean:0',
    ]);
  });

  it("Keras: residual networks are found by either of Keras' two ways to name them", async () => {
    const build = (): Module =>
      new ResNetV1(device, { stages: [2, 1], width: 4, input: [64, 64, 3], classes: 3 });
    const [one, other] = [build(), build()];
    scatter(one);
    const layers = kerasLayers(modelLayers(one, [64, 64, 3]), await savedState(one));
    expect(layers.map(({ name }) => name)).toEqual([
      ...['conv1', 'bn_conv1', 'res2a_branch2a', 'bn2a_branch2a', 'res2a_branch2b'],
      ...['bn2a_branch2b', 'res2a_branch2c', 'bn2a_branch2c', 'res2a_branch1', 'bn2a_branch1'],
      ...['res2b_branch2a', 'bn2b_branch2a', 'res2b_branch2b', 'bn2b_branch2b'],
      ...['res2b_branch2c', 'bn2b_branch2c', 'res3a_branch2a', 'bn3a_branch2a'],
      ...['res3a_branch2b', 'bn3a_branch2b', 'res3a_branch2c', 'bn3a_branch2c'],
      ...['res3a_branch1', 'bn3a_branch1', 'fc3'],
    ]);
    const modern = (name: string): string => {
      const parts = /^(res|bn)(\d)([ab])_branch(1|2([abc]))$/.exec(name);
      if (!parts) return { conv1: 'conv1_conv', bn_conv1: 'conv1_bn' }[name] ?? 'predictions';
      const place = parts[5] ? 'abc'.indexOf(parts[5]) + 1 : 0;
      return `conv${parts[2]}_block${'ab'.indexOf(parts[3]) + 1}_${place}_${parts[1] === 'bn' ? 'bn' : 'conv'}`;
    };
    for (const rename of [(name: string) => name, modern]) {
      const path = join(below, 'residual.h5');
      // The shortcut first: by order alone it would be taken for the last convolution.
      const renamed = layers.map((layer) => ({ ...layer, name: rename(layer.name) })).reverse();
      await writeKerasLayers(path, renamed);
      const report = await initFrom(other, path, { input: [64, 64, 3] });
      expect(report).toMatchObject({ missing: [], unused: [], mismatched: [] });
      expect(await valuesOf(other)).toEqual(await valuesOf(one));
    }
  });

  it('Keras 3: layers numbered by class are matched by order, depthwise ones apart', async () => {
    const [one, other] = [efficientNet(3), efficientNet(3)];
    scatter(one);
    const path = await write(one, 'keras', 'keras3.h5', [32, 32, 3]);
    const counts = new Map<string, number>();
    const layers = (await readWeights(path)).layers.map((layer) => {
      const isDepthwise = layer.name.endsWith('dwconv');
      const names = { filters: 'conv2d', norm: 'batch_normalization', dense: 'dense', other: '' };
      const kind = isDepthwise ? 'depthwise_conv2d' : names[layer.kind];
      const count = counts.get(kind) ?? 0;
      counts.set(kind, count + 1);
      return { ...layer, name: `layers/${kind}${count === 0 ? '' : `_${count}`}` };
    });
    layers.sort((a, b) => (a.name < b.name ? -1 : 1));
    const mapping = mapWeights(other, { path, format: 'keras', layers }, { input: [32, 32, 3] });
    expect(mapping).toMatchObject({ missing: [], unused: [], mismatched: [] });
    other.loadStateDict(mapping.values);
    expect(await valuesOf(other)).toEqual(await valuesOf(one));
  });

  it('numbered layers of another list are matched by order, not by their numbers', async () => {
    const model = mixed();
    scatter(model);
    const path = await write(model, 'pytorch', 'numbers.safetensors');
    const { layers } = await readWeights(path);
    const shifted = layers.map((layer) => ({ ...layer, name: String(Number(layer.name) * 2 + 1) }));
    const other = mixed();
    // As text, 13 and 15 come before 3.
    const sorted = shifted.sort((a, b) => (a.name < b.name ? -1 : 1));
    const mapping = mapWeights(other, { path, format: 'pytorch', layers: sorted }, { input });
    expect(mapping.matched.every(({ by }) => by === 'order')).toBe(true);
    other.loadStateDict(mapping.values);
    expect(await valuesOf(other)).toEqual(await valuesOf(model));
  });

  it('other classes and other channels keep their own first and last layer', async () => {
    const [one, other] = [mixed(), mixed({ classes: 9, channels: 1 })];
    scatter(one);
    const path = await write(one, 'keras', 'classes.h5');
    const before = await valuesOf(other);
    const report = await initFrom(other, path, { input: [8, 8, 1] });
    expect(report.mismatched.map(({ name, expected, came }) => [name, expected, came])).toEqual([
      ['0.weight', [3, 3, 1, 4], [3, 3, 3, 4]],
      ['8.weight', [7, 9], [7, 5]],
    ]);
    expect(report.missing).toEqual(['0.bias', '8.bias']);
    const after = await valuesOf(other);
    expect(after.get('8.weight')).toEqual(before.get('8.weight'));
    expect(after.get('7.weight')).toEqual((await valuesOf(one)).get('7.weight'));
  });
});

describe('weight files that do not fit', () => {
  const large = [32, 32, 3];
  const wrong: [string, () => Module, number[], () => Module, number[]][] = [
    ['a smaller network', () => mixed(), input, () => resnet([1, 1]), large],
    ['the same with fewer blocks', () => resnet([1, 2, 1]), large, () => resnet([1, 4, 1]), large],
    ['a larger network', () => resnet([1, 1]), large, () => mixed(), input],
  ];
  for (const [title, from, fromShape, to, shape] of wrong) {
    it(`${title}: one error, and nothing is changed`, async () => {
      const model = to();
      const path = await write(from(), 'tilegrad', 'other.safetensors', fromShape);
      const before = await valuesOf(model);
      await expect(initFrom(model, path, { input: shape })).rejects.toThrow(DataError);
      await expect(initFrom(model, path, { input: shape })).rejects.toThrow(
        /weights of another network: it has \d+ convolutions.*; the model has .* fit; .* is \[.*\nfix: choose the --model/,
      );
      expect(await valuesOf(model)).toEqual(before);
    });
  }

  it('damaged and foreign files: one error each', async () => {
    const path = await write(mixed(), 'keras', 'whole.h5');
    const whole = readFileSync(path);
    const cut = join(below, 'cut.h5');
    for (const length of [whole.length - 1, whole.length >> 1, 700, 60]) {
      writeFileSync(cut, whole.subarray(0, length));
      await expect(readWeights(cut)).rejects.toThrow(DataError);
      await expect(readWeights(cut)).rejects.toThrow(/cut\.h5: damaged: not readable as HDF5: \w+/);
    }
    await expect(readWeights(join(below, 'none.h5'))).rejects.toThrow(
      'none.h5: cannot be read: no such file',
    );
    await expect(readWeights(below)).rejects.toThrow('cannot be read: it is a folder');
    writeFileSync(cut, Buffer.from('504b0304140000000000', 'hex'));
    await expect(readWeights(cut)).rejects.toThrow(/got a zip archive, such as Keras' \.keras/);
    writeFileSync(cut, 'hello, these are not weights');
    await expect(readWeights(cut)).rejects.toThrow(/h5, got a file of another kind\nfix: pass the/);
    writeFileSync(cut, '');
    await expect(readWeights(cut)).rejects.toThrow('h5, got a file of another kind');
    await writeKerasLayers(cut, []);
    await expect(readWeights(cut)).rejects.toThrow('an HDF5 file, but without weights of Keras');
    // What follows a damaged file is not harmed by it.
    expect((await readWeights(path)).layers).toHaveLength(7);
  });

  it("PyTorch's pickles, plain and in an archive: told how to make safetensors of them", async () => {
    // As torch.save begins them: protocol 2 and its magic number; a member archive/data.pkl.
    const plain = '80028a0a6cfc9c46f9206aa850192e8002';
    const archive = Buffer.from('PK\x03\x04'.padEnd(26, '\0') + '\x10\0\0\0archive/data.pkl');
    for (const [name, bytes] of [
      ['net.th', Buffer.from(plain, 'hex')],
      ['net.pt', archive],
    ] as const) {
      const path = join(below, name);
      writeFileSync(path, bytes);
      const error = await readWeights(path).then(String, String);
      expect(error).toContain(
        `${path}: expected weights as safetensors or Keras' .h5, got a pickle`,
      );
      expect(error).toContain(`torch.load('${path}', map_location='cpu', weights_only=True)`);
      expect(error).toContain(`'${join(below, 'net.safetensors')}')" writes`);
      expect(error.split('\n')).toHaveLength(2);
    }
  });

  it('a published network takes its own export', async () => {
    const shape = { input: [16, 16, 3], classes: 3 } as const;
    const [model, other] = [shape, shape].map((options) =>
      createModel(device, 'simpsons-tf', options),
    );
    const path = await write(model, 'pytorch', 'simpsons.safetensors', shape.input);
    await initFrom(other, path, shape);
    expect(await valuesOf(other)).toEqual(await valuesOf(model));
  });
});
