import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noGrad } from '../../src/autograd/recording.js';
import type { Device } from '../../src/device.js';
import { writeKerasLayers } from '../../src/io/keras_h5.js';
import { writePytorchSafetensors } from '../../src/io/pytorch_safetensors.js';
import { mapWeights, modelLayers, readWeights } from '../../src/io/weights/index.js';
import { kerasLayers } from '../../src/io/weights/keras_names.js';
import { BatchNorm2d, Conv2d, convBatchNorm, Sequential } from '../../src/nn/index.js';
import { initFrom } from '../../src/train/init_from.js';
import { testDevice } from '../helpers/device.js';
import { pixels, savedState, scatter, valuesOf } from '../io/weights/helpers.js';

interface Affine {
  scale?: boolean;
  center?: boolean;
}

const below = mkdtempSync(join(tmpdir(), 'tilegrad-affine-'));
afterAll(() => rmSync(below, { recursive: true, force: true }));
let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
const input = [4, 4, 3];

function network(affine: Affine): Sequential & { layers: readonly [Conv2d, BatchNorm2d] } {
  return new Sequential(
    new Conv2d(device, { inChannels: 3, outChannels: 4, kernelSize: 3, padding: 1 }),
    new BatchNorm2d(device, { channels: 4, ...affine }),
  ) as Sequential & { layers: readonly [Conv2d, BatchNorm2d] };
}

async function outputs(model: Sequential): Promise<number[]> {
  const x = device.tensor(pixels(2 * 48), [2, ...input]);
  return Array.from(await noGrad(() => model.eval().call(x).data()));
}

const kinds: [string, Affine, string[]][] = [
  ['without scale', { scale: false }, ['beta']],
  ['without centre', { center: false }, ['gamma']],
  ['without either', { scale: false, center: false }, []],
];

describe.each(kinds)('batch norm %s', (_title, affine, parameters) => {
  it('has the parameters that are left, and computes as with 1 and 0 in their place', async () => {
    const [bare, full] = [network(affine), network({})];
    const [, norm] = bare.layers;
    expect([...norm.namedParameters()].map(([name]) => name)).toEqual(parameters);
    scatter(bare);
    full.loadStateDict(bare.stateDict(), { strict: false });
    expect(await outputs(bare)).toEqual(await outputs(full));
    const x = device.tensor(pixels(2 * 48), [2, ...input]);
    // Folded into the convolution, and while training.
    const folded = (model: typeof bare): Promise<unknown> =>
      noGrad(() => convBatchNorm(model.layers[0], model.layers[1], x).array());
    expect(await folded(bare)).toEqual(await folded(full));
    for (const model of [bare, full])
      model
        .train()
        .call(x)
        .backward(device.ones([2, 4, 4, 4]));
    const gradient = (model: typeof bare): Promise<unknown> => model.layers[0].weight.grad!.array();
    expect(await gradient(bare)).toEqual(await gradient(full));
  });

  it.each(['keras', 'pytorch'] as const)('goes out to %s and comes back', async (format) => {
    const [one, other, full] = [network(affine), network(affine), network({})];
    scatter(one);
    const path = join(below, `${format}.${format === 'keras' ? 'h5' : 'safetensors'}`);
    const layers = modelLayers(one, input);
    const values = await savedState(one);
    if (format === 'keras') await writeKerasLayers(path, kerasLayers(layers, values));
    else writePytorchSafetensors(path, layers, values);
    // PyTorch has scale and centre, or neither.
    const names = (await readWeights(path)).layers.flatMap(({ tensors }) => [...tensors.keys()]);
    const isBoth = format === 'pytorch' && parameters.length === 1;
    const left = isBoth ? ['gamma', 'beta'] : parameters;
    expect(names.filter((name) => /gamma|beta/.test(name)).sort()).toEqual([...left].sort());
    const report = await initFrom(other, path, { input });
    expect(report).toMatchObject({ missing: [], unused: [], mismatched: [] });
    expect(await valuesOf(other)).toEqual(await valuesOf(one));
    // In a network with both, what is not in the file is 1 and 0, whatever was there.
    scatter(full);
    await initFrom(full, path, { input });
    expect(await outputs(full)).toEqual(await outputs(one));
  });

  it('refuses a scale or centre for which there is no place', async () => {
    const [bare, full] = [network(affine), network({})];
    scatter(full);
    const path = join(below, 'full.h5');
    await writeKerasLayers(path, kerasLayers(modelLayers(full, input), await savedState(full)));
    await expect(initFrom(bare, path, { input })).rejects.toThrow(
      /full\.h5: .*(gamma|beta):0 is a (scale|centre) that the model's 1 is built without\nfix: build it with (scale|center): true/,
    );
  });
});

it('three vectors of Keras 3: the network tells whether the first is scale or centre', () => {
  const vector = (name: string, value: number) => ({
    ...{ name, shape: [4], data: new Float32Array(4).fill(value) },
  });
  const weight = { name: 'w', shape: [3, 3, 3, 4], data: new Float32Array(108) };
  const fields = ['scaleOrCenter', 'runningMean', 'runningVariance'];
  const norm = new Map(fields.map((field, i) => [field, vector(`vars/${i}`, i + 2)]));
  const layers = [
    { name: 'layers/conv2d', kind: 'filters' as const, tensors: new Map([['weight', weight]]) },
    { name: 'layers/batch_normalization', kind: 'norm' as const, tensors: norm },
  ];
  const file = { path: 'a.weights.h5', format: 'keras' as const, layers };
  const taken = (affine: Affine): string[] =>
    mapWeights(network(affine), file, { input }).matched.map(({ name, from }) => `${name} ${from}`);
  expect(taken({ scale: false })).toContain('1.beta vars/0');
  expect(taken({ center: false })).toContain('1.gamma vars/0');
  expect(() => taken({})).toThrow(/ambiguous: vars\/0 is the scale or the centre .*\nfix: build/);
});
