import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { noGrad } from '../../../src/autograd/recording.js';
import { createDevice, type Device } from '../../../src/device.js';
import { writePytorchSafetensors } from '../../../src/io/pytorch_safetensors.js';
import { readSafetensors, writeSafetensors } from '../../../src/io/safetensors.js';
import { modelLayers, type ModelLayer, type WeightFile } from '../../../src/io/weights/index.js';
import { layoutOf } from '../../../src/io/weights/layout.js';
import { pairLayers } from '../../../src/io/weights/pairing.js';
import { createModel, ResNet } from '../../../src/models/index.js';
import { initFrom } from '../../../src/train/init_from.js';
import { testDevice } from '../../helpers/device.js';
import { folder, pixels, savedState, scatter } from './helpers.js';

const below = folder();

/** Sorts as the safetensors library does: by name as text, so that 10 comes before 2. */
function asText<T>(entries: Iterable<readonly [string, T]>): [string, T][] {
  return [...entries]
    .map(([name, value]): [string, T] => [name, value])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A file of PyTorch's with these layers, renamed, without values. */
function fileOf(layers: readonly ModelLayer[], rename: (path: string) => string): WeightFile {
  const named = layers.map((layer) => {
    const name = rename(layer.path);
    const tensors = new Map(
      [...layer.tensors.keys()].map((field) => [
        field,
        {
          name: `${name}.${field}`,
          shape: layoutOf('pytorch', layer, field).shape,
          data: new Float32Array(0),
        },
      ]),
    );
    return [`${name}.`, { name, kind: layer.kind, tensors }] as const;
  });
  return { path: 'file', format: 'pytorch', layers: asText(named).map(([, layer]) => layer) };
}

describe('names of resnet101 in a text-sorted checkpoint', () => {
  const unlike = (path: string): string =>
    path
      .replace(
        /^layer(\d+)\.(\d+)\./,
        (_, stage: string, block: string) => `stage${Number(stage) + 1}.block${block}.`,
      )
      .replace('conv', 'c')
      .replace(/\bbn/, 'norm')
      .replace('downsample', 'shortcut')
      .replace(/^fc$/, 'head');
  const cases: [string, (path: string) => string, string][] = [
    ['"module." before all', (path) => `module.${path}`, 'name'],
    ['two prefixes before all', (path) => `net.model.${path}`, 'name'],
    [
      'a prefix before all but the last',
      (path) => (path === 'fc' ? 'linear' : `backbone.${path}`),
      'name',
    ],
    ['unlike names', unlike, 'order'],
    ['unlike names and a prefix', (path) => `module.${unlike(path)}`, 'order'],
  ];
  for (const [title, rename, by] of cases) {
    it(`${title}: all 522 tensors land where they belong`, async () => {
      const device = await createDevice({ isNull: true });
      try {
        const layers = modelLayers(createModel(device, 'resnet101'), null);
        const pairs = pairLayers(layers, fileOf(layers, rename));
        const wrong = pairs.filter(({ target, source }) => source.name !== rename(target.path));
        expect(wrong.map(({ target, source }) => `${target.path} <- ${source.name}`)).toEqual([]);
        expect(pairs.reduce((sum, { source }) => sum + source.tensors.size, 0)).toBe(522);
        expect(pairs[1].by).toBe(by);
      } finally {
        device.destroy();
      }
    });
  }
});

describe('a network of twelve like blocks', () => {
  let device: Device;
  beforeAll(async () => {
    device = await testDevice();
  });
  const input = [8, 8, 3] as const;
  const build = (): ResNet =>
    new ResNet(device, { block: 'basic', stages: [12], width: 4, input, classes: 3 });

  async function saved(
    rename: (name: string) => string,
    isSorted = true,
  ): Promise<[ResNet, string]> {
    const model = build();
    scatter(model);
    const path = join(below, 'twelve.safetensors');
    writePytorchSafetensors(path, modelLayers(model, input), await savedState(model));
    const entries = [...readSafetensors(path).tensors].map(
      ([name, value]) => [rename(name), value] as const,
    );
    writeSafetensors(path, {
      tensors: new Map(isSorted ? asText(entries) : entries),
      metadata: { format: 'pt' },
    });
    return [model, path];
  }

  const renamings: [string, (name: string) => string, boolean][] = [
    ['with "module."', (name) => `module.${name}`, true],
    [
      'in the order of the network, with unlike names',
      (name) => name.replace('conv', 'c').replace('bn', 'norm'),
      false,
    ],
  ];
  for (const [title, rename, isSorted] of renamings) {
    it(`${title}: the logits are equal`, async () => {
      const [model, path] = await saved(rename, isSorted);
      const other = build();
      const report = await initFrom(other, path, { input });
      expect(report).toMatchObject({ missing: [], unused: [], mismatched: [] });
      const x = device.tensor(pixels(2 * 8 * 8 * 3), [2, ...input]);
      const [want, got] = await noGrad(() =>
        Promise.all([model, other].map((network) => network.eval().call(x).array())),
      );
      expect(got).toEqual(want);
    });
  }

  it('in an order that is neither that of the names nor of text: refused as ambiguous', async () => {
    const swap = (name: string): string =>
      name
        .replace(/layer1\.(\d+)/, (_, i: string) => `blocks.${11 - Number(i)}`)
        .replace('bn', 'norm');
    const [, path] = await saved(swap, false);
    await expect(initFrom(build(), path, { input })).rejects.toThrow(
      /twelve\.safetensors: ambiguous: .*by order and shape layer1\.0\.conv1 may be blocks\.11\.conv1 or blocks\.0\.conv1\nfix: save it under the names/,
    );
  });

  it('sorted as text, with words that leave open which comes first: refused as ambiguous', async () => {
    // norm1 may stand before the blocks or behind them: all have four channels.
    const [, path] = await saved((name) => name.replace('layer1', 'blocks').replace('bn', 'norm'));
    await expect(initFrom(build(), path, { input })).rejects.toThrow(
      /ambiguous: .* bn1 may be blocks\.0\.norm1 or norm1\n/,
    );
  });

  it('beside its moving average: refused, for either may be meant', async () => {
    const [model, path] = await saved((name) => name);
    const { tensors } = readSafetensors(path);
    const both = new Map(
      ['ema.', 'model.'].flatMap((prefix) =>
        [...tensors].map(([name, value]) => [prefix + name, value] as const),
      ),
    );
    writeSafetensors(path, { tensors: both, metadata: { format: 'pt' } });
    await expect(initFrom(model, path, { input })).rejects.toThrow(
      /ambiguous: it holds 51 layers of the model under "ema\." and as many under "model\."\nfix: save/,
    );
  });
});
