import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DataError, UsageError } from '../../src/errors.js';
import { load, save } from '../../src/io/model_file.js';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.js';
import { architectureOf, buildModule, registerModule } from '../../src/models/architecture.js';
import * as models from '../../src/models/index.js';
import * as nn from '../../src/nn/index.js';
import { mul } from '../../src/ops/elementwise.js';
import type { Tensor } from '../../src/tensor.js';
import { fit } from '../../src/train/fit.js';
import { testDevice } from '../helpers/device.js';
import { quarters, tinyModel } from '../train/helpers.js';

const device = await testDevice();
const folder = mkdtempSync(join(tmpdir(), 'tilegrad-model-'));
afterAll(() => rmSync(folder, { recursive: true }));

const outputOf = async (model: nn.Module, x: Tensor): Promise<number[]> => [
  ...(await model.eval().call(x).data()),
];

describe('a network in a file', () => {
  const c = 8;
  /** Every layer there is, in a network that a forward pass goes through. */
  const everyLayer = (): nn.Sequential =>
    new nn.Sequential(
      new nn.Conv2d(device, { inChannels: 3, outChannels: c, kernelSize: 3, padding: 'same' }),
      new nn.BatchNorm2d(device, { channels: c, epsilon: 1e-3, activation: 'relu' }),
      new nn.DepthwiseConv2d(device, { inChannels: c, kernelSize: 3, padding: 'same' }),
      new nn.Add(new nn.Conv2d(device, { inChannels: c, outChannels: c, kernelSize: 1 })),
      new nn.Add(new nn.Dropout({ rate: 0.1 }), {
        activation: 'relu',
        shortcut: new nn.StochasticDepth({ rate: 0.1 }),
      }),
      new nn.SqueezeExcite(device, { channels: c, reducedChannels: 2 }),
      new nn.GroupNorm(device, { groups: 2, channels: c }),
      new nn.InstanceNorm2d(device, { channels: c }),
      new nn.LayerNorm(device, { shape: [c] }),
      new nn.ConvTranspose2d(device, { inChannels: c, outChannels: c, kernelSize: 2, stride: 2 }),
      ...[new nn.ELU(), new nn.GELU(), new nn.HardSwish(), new nn.LeakyReLU(), new nn.ReLU()],
      ...[new nn.ReLU6(), new nn.Sigmoid(), new nn.SiLU(), new nn.Softplus(), new nn.Tanh()],
      ...[new nn.MaxPool2d({ size: 2 }), new nn.AvgPool2d({ size: 2 }), new nn.ZeroPad2d(1)],
      ...[new nn.ReflectionPad2d(1), new nn.ReplicationPad2d(1)],
      ...[new nn.SpaceToDepth({ blockSize: 2 }), new nn.DepthToSpace({ blockSize: 2 })],
      ...[new nn.Upsample({ scale: 2 }), new nn.Resize({ size: 9 }), new nn.Flatten()],
      new nn.Dense(device, { inFeatures: 81 * c, outFeatures: 4 }),
      ...[new nn.Softmax(), new nn.LogSoftmax()],
    );

  it('comes back with its layers, options and weights: every layer of nn', async () => {
    const model = everyLayer();
    const x = device.uniform([2, 8, 8, 3]);
    const wanted = await outputOf(model, x);
    const path = join(folder, 'layers.safetensors');
    await save(model, path);
    const same = await load(path, device);
    expect(same.toString()).toBe(model.toString());
    expect(await outputOf(same, x)).toEqual(wanted);
    expect(new Set(wanted.map((each) => each.toFixed(5))).size).toBeGreaterThan(4);
    const used = new Set([...model.namedModules()].map(([, { constructor }]) => constructor));
    const others = ['Module', 'GlobalAvgPool2d', 'GlobalMaxPool2d'];
    for (const [name, entry] of Object.entries(nn)) {
      if (typeof entry !== 'function' || !(entry.prototype instanceof nn.Module)) continue;
      expect(used.has(entry) || others.includes(name), name).toBe(true);
    }
  });

  it.each(Object.keys(models.modelFactories))('%s', (name) => {
    const options = { input: [64, 64, 3], classes: 5 } as const;
    const model = models.createModel(device, name, options);
    const again = buildModule(device, JSON.parse(JSON.stringify(architectureOf(model))));
    expect(again.toString()).toBe(model.toString());
    expect([...again.stateDict().keys()]).toEqual([...model.stateDict().keys()]);
    again.dispose();
    model.dispose();
  });

  it('holds a class of one’s own once it is registered', async () => {
    class Scale extends nn.Module {
      readonly factor: nn.Parameter;
      constructor(readonly options: { start: number }) {
        super();
        this.factor = nn.Parameter.from(device.full([1], options.start));
      }
      forward(x: Tensor): Tensor {
        return mul(x, this.factor);
      }
    }
    const model = new nn.Sequential(new Scale({ start: 3 }));
    const path = join(folder, 'own.safetensors');
    await expect(save(model, path)).rejects.toThrow(
      "save: expected modules of the library, got one of class Scale\nfix: call registerModule('Scale', Scale, …) first",
    );
    registerModule('Scale', Scale, (_device, options) => new Scale(options));
    await save(model, path);
    const same = await load(path, device);
    expect(await outputOf(same, device.ones([2]))).toEqual([3, 3]);
    expect(() => registerModule('Scale', Scale, () => model)).toThrow(UsageError);
  });

  it('is what a training run leaves, too', async () => {
    const model = tinyModel(device);
    const out = join(folder, 'run');
    const train = quarters(32, 1);
    await fit(model, { train }, { optimizer: 'sgd', lr: 0.1, epochs: 1, batchSize: 16, out });
    const same = await load(join(out, 'last.safetensors'), device);
    expect(same.toString()).toBe(model.toString());
    const x = device.uniform([2, 8, 8, 1]);
    expect(await outputOf(same, x)).toEqual(await outputOf(model, x));
  });

  it('says what is wrong with a file that gives no network', async () => {
    const good = join(folder, 'good.safetensors');
    await save(new nn.Sequential(new nn.Dense(device, { inFeatures: 2, outFeatures: 3 })), good);
    const { tensors, metadata } = readSafetensors(good);
    const bad = join(folder, 'bad.safetensors');
    const loading = async (changes: Record<string, string>): Promise<unknown> => {
      writeSafetensors(bad, { tensors, metadata: { ...metadata, ...changes } });
      return load(bad, device).catch((error: unknown) => error);
    };
    expect(await loading({ architectureVersion: '2' })).toMatchObject({
      message: `${bad}: expected an architecture of version 1, got version 2\nfix: update the library, or save the file again with this version`,
    });
    expect(await loading({ architecture: '{"type":5}' })).toMatchObject({
      message: `${bad}: architecture.type: expected a text, got 5`,
    });
    expect(await loading({ architecture: '{"type":"Capsule"}' })).toBeInstanceOf(UsageError);
    const other = JSON.stringify({ type: 'Sequential', modules: [{ type: 'Flatten' }] });
    expect(await loading({ architecture: other })).toMatchObject({
      message: `${bad}: its weights do not fit its architecture: loadStateDict: 0.weight is unknown; 0.bias is unknown`,
    });
    writeSafetensors(bad, { tensors, metadata: {} });
    await expect(load(bad, device)).rejects.toThrow('expected a file with an architecture');
    writeFileSync(bad, readFileSync(good).subarray(0, -4));
    await expect(load(bad, device)).rejects.toThrow(DataError);
    await expect(load(join(folder, 'none.safetensors'), device)).rejects.toThrow(DataError);
  });
});
