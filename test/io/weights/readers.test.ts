import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../../src/device.js';
import { writeKerasLayers } from '../../../src/io/keras_h5.js';
import { writePytorchSafetensors } from '../../../src/io/pytorch_safetensors.js';
import { modelLayers, readWeights } from '../../../src/io/weights/index.js';
import { kerasLayers } from '../../../src/io/weights/keras_names.js';
import { noGrad } from '../../../src/index.js';
import { ResNet } from '../../../src/models/index.js';
import {
  BatchNorm2d,
  Conv2d,
  Dense,
  DepthwiseConv2d,
  Flatten,
  MaxPool2d,
  ReLU,
  Sequential,
  type Module,
} from '../../../src/nn/index.js';
import { initFrom } from '../../../src/train/init_from.js';
import { testDevice } from '../../helpers/device.js';
import { folder, pixels, pythonWith, reason, savedState, scatter } from './helpers.js';

const below = folder();
let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

/** With torch's places: activations are layers of their own. Flattens 3×3×6. */
function sequential(): Module {
  return new Sequential(
    new Conv2d(device, { inChannels: 3, outChannels: 4, kernelSize: 3 }),
    new BatchNorm2d(device, { channels: 4 }),
    new ReLU(),
    new DepthwiseConv2d(device, { inChannels: 4, kernelSize: 3, multiplier: 2, padding: 1 }),
    new Conv2d(device, { inChannels: 8, outChannels: 6, kernelSize: 1, groups: 2, bias: false }),
    new MaxPool2d({ size: 2 }),
    new Flatten(),
    new BatchNorm2d(device, { channels: 54 }),
    new Dense(device, { inFeatures: 54, outFeatures: 7 }),
    new ReLU(),
    new Dense(device, { inFeatures: 7, outFeatures: 5 }),
  );
}

function residual(): Module {
  return new ResNet(device, {
    ...{ block: 'bottleneck', stages: [2, 1], width: 4, stem: 'large', input: [8, 8, 3] },
    classes: 5,
  });
}

const sequentialInTorch = `
model = nn.Sequential(
  nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 8, 3, padding=1, groups=4),
  nn.Conv2d(8, 6, 1, groups=2, bias=False), nn.MaxPool2d(2), nn.Flatten(), nn.BatchNorm1d(54),
  nn.Linear(54, 7), nn.ReLU(), nn.Linear(7, 5))
`;

/** The form and the names of torchvision's ResNet. */
const residualInTorch = `
class Block(nn.Module):
  def __init__(self, i, w, stride):
    super().__init__()
    o = w * 4
    self.conv1, self.bn1 = nn.Conv2d(i, w, 1, bias=False), nn.BatchNorm2d(w)
    self.conv2, self.bn2 = nn.Conv2d(w, w, 3, stride, 1, bias=False), nn.BatchNorm2d(w)
    self.conv3, self.bn3 = nn.Conv2d(w, o, 1, bias=False), nn.BatchNorm2d(o)
    self.downsample = None
    if stride != 1 or i != o:
      self.downsample = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))
  def forward(self, x):
    y = self.bn1(self.conv1(x)).relu()
    y = self.bn3(self.conv3(self.bn2(self.conv2(y)).relu()))
    return (y + (x if self.downsample is None else self.downsample(x))).relu()
class Net(nn.Module):
  def __init__(self):
    super().__init__()
    self.conv1, self.bn1 = nn.Conv2d(3, 4, 7, 2, 3, bias=False), nn.BatchNorm2d(4)
    self.maxpool = nn.MaxPool2d(3, 2, 1)
    self.layer1 = nn.Sequential(Block(4, 4, 1), Block(16, 4, 1))
    self.layer2 = nn.Sequential(Block(16, 8, 2))
    self.fc = nn.Linear(32, 5)
  def forward(self, x):
    x = self.maxpool(self.bn1(self.conv1(x)).relu())
    return self.fc(self.layer2(self.layer1(x)).mean((2, 3)))
model = Net()
`;

/** Images come as [N H W C] and are turned; outputs are printed. A safetensors file is read or written by hand. */
const torchProgram = (network: string, work: string): string => `
import json, struct, sys, numpy as np, torch
from torch import nn
torch.manual_seed(3)
${network}
def read(path):
  raw = open(path, 'rb').read()
  n = struct.unpack('<Q', raw[:8])[0]
  kinds = {'F32': np.float32, 'I64': np.int64}
  out = {}
  for name, e in json.loads(raw[8:8 + n]).items():
    if name == '__metadata__': continue
    a, b = (8 + n + at for at in e['data_offsets'])
    out[name] = torch.from_numpy(np.frombuffer(raw[a:b], kinds[e['dtype']]).reshape(e['shape']).copy())
  return out
def write(path, state):
  header, parts, at = {}, [], 0
  for name in sorted(state):
    value = state[name].detach().numpy()
    data = value.tobytes()
    kind = {'float32': 'F32', 'int64': 'I64', 'float64': 'F64'}[str(value.dtype)]
    header[name] = {'dtype': kind, 'shape': list(value.shape), 'data_offsets': [at, at + len(data)]}
    parts.append(data); at += len(data)
  text = json.dumps(header).encode()
  open(path, 'wb').write(struct.pack('<Q', len(text)) + text + b''.join(parts))
${work}
model.eval()
x = torch.from_numpy(np.fromfile(sys.argv[2], np.float32).reshape(2, 8, 8, 3)).permute(0, 3, 1, 2)
with torch.no_grad(): print(json.dumps(model(x).flatten().tolist()))
`;

const loadStrictly =
  'print(model.load_state_dict(read(sys.argv[1]), strict=True), file=sys.stderr)';
const trainAndSave = `
with torch.no_grad():
  for name, value in model.state_dict().items():
    if 'running' in name: value.copy_(torch.rand_like(value) + 0.5)
    elif value.dim() == 1: value.add_(torch.randn_like(value) * 0.3)
write(sys.argv[1], model.state_dict())
`;

async function outputs(model: Module): Promise<number[]> {
  model.eval();
  const x = device.tensor(pixels(2 * 8 * 8 * 3), [2, 8, 8, 3]);
  return Array.from(await noGrad(() => model.call(x)).data());
}

function expectClose(came: readonly number[], expected: readonly number[]): void {
  expect(came).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    const allowed = 1e-5 * Math.max(1, Math.abs(value));
    expect(Math.abs(came[i] - value), `output ${i}: ${came[i]}, ${value}`).toBeLessThan(allowed);
  });
}

const torch = pythonWith('torch', 'numpy');
const networks = [
  ['conv → flatten → dense, depthwise and grouped', sequential, sequentialInTorch],
  ['a residual network of torchvision', residual, residualInTorch],
] as const;

describe.skipIf(!torch)(`PyTorch${reason(torch, 'torch')}`, () => {
  const images = join(below, 'images.f32');
  beforeAll(() => writeFileSync(images, new Uint8Array(pixels(2 * 8 * 8 * 3).buffer)));

  for (const [title, build, inTorch] of networks) {
    it(`${title}: torch loads ours with strict=True and computes the same`, async () => {
      const model = build();
      scatter(model);
      const path = join(below, 'ours.safetensors');
      writePytorchSafetensors(path, modelLayers(model, [8, 8, 3]), await savedState(model));
      const printed = torch!.run(torchProgram(inTorch, loadStrictly), path, images);
      expectClose(JSON.parse(printed) as number[], await outputs(model));
    });

    it(`${title}: what torch wrote computes the same here`, async () => {
      const path = join(below, 'theirs.safetensors');
      const printed = torch!.run(torchProgram(inTorch, trainAndSave), path, images);
      const model = build();
      const report = await initFrom(model, path, { input: [8, 8, 3] });
      expect(report).toMatchObject({ format: 'pytorch', missing: [], unused: [], mismatched: [] });
      expectClose(await outputs(model), JSON.parse(printed) as number[]);
    });
  }
});

const h5py = pythonWith('h5py', 'numpy');

/** Walks a file in the way in which Keras 2 loads weights. */
const walkAsKeras = `
import h5py, json, sys, numpy as np
text = lambda n: n.decode('utf8') if hasattr(n, 'decode') else n
out = []
with h5py.File(sys.argv[1], 'r') as f:
  for layer in f.attrs['layer_names']:
    g = f[text(layer)]
    for name in g.attrs['weight_names']:
      value = np.asarray(g[text(name)])
      out.append([text(layer), text(name), str(value.dtype), value.shape, value.flatten().tolist()])
  out.append([text(f.attrs['keras_version']), text(f.attrs['backend'])])
print(json.dumps(out))
`;

/** model.save() of Keras 2: a network inside a network, values of another type, optimizer state. */
const writeKeras2 = `
import h5py, sys, numpy as np
with h5py.File(sys.argv[1], 'w') as f:
  g = f.create_group('model_weights')
  layers = {'input_1': {}, 'base': {'stem/kernel:0': np.arange(54).reshape(3, 3, 3, 2),
            'stem/bias:0': np.array([5, 6]), 'bn/gamma:0': np.ones(2), 'bn/beta:0': np.zeros(2),
            'bn/moving_mean:0': np.array([.25, .5]), 'bn/moving_variance:0': np.array([2, 3])},
            'dw': {'dw/depthwise_kernel:0': np.ones((3, 3, 2, 1))},
            'dense': {'dense/kernel:0': np.arange(6).reshape(2, 3)}}
  g.attrs['layer_names'] = np.array([n.encode() for n in layers])
  for layer, weights in layers.items():
    h = g.create_group(layer)
    h.attrs['weight_names'] = np.array([n.encode() for n in weights]) if weights else np.zeros(0, 'S1')
    for name, value in weights.items():
      h.create_dataset(name, data=value.astype(sys.argv[2] if name == 'dense/kernel:0' else 'f4'))
  f.create_group('optimizer_weights').create_dataset('m', data=np.zeros(3))
`;

/** save_weights of Keras 3: numbered tensors below each layer, in the order of names as text. */
const writeKeras3 = `
import h5py, sys, numpy as np
with h5py.File(sys.argv[1], 'w') as f:
  def layer(path, *weights):
    g = f.create_group(path + '/vars')
    for i, w in enumerate(weights): g.create_dataset(str(i), data=np.asarray(w, 'f4'), compression='gzip' if w.ndim > 1 else None)
  root = sys.argv[2]
  layer(root + '/conv2d', np.arange(54).reshape(3, 3, 3, 2), np.array([5, 6]))
  layer(root + '/batch_normalization', np.ones(2), np.zeros(2), np.array([.25, .5]), np.array([2, 3]))
  layer(root + '/dense', np.arange(6).reshape(2, 3))
  layer(root + '/flatten')
  f.create_group(root + '/dropout/seed_generator/vars').create_dataset('0', data=np.array([1, 2], 'u4'))
  layer('optimizer', np.zeros(4))
`;

describe.skipIf(!h5py)(`h5py${reason(h5py, 'h5py')}`, () => {
  it('reads our file as Keras does: names, shapes and values', async () => {
    const model = sequential();
    scatter(model);
    const state = await savedState(model);
    const layers = kerasLayers(modelLayers(model, null), state);
    const path = join(below, 'ours.h5');
    await writeKerasLayers(path, layers);
    const rows = JSON.parse(h5py!.run(walkAsKeras, path)) as unknown[];
    const expected = layers.flatMap(({ name, tensors }) =>
      tensors.map((tensor) => [
        ...[name, `${name}/${tensor.name}:0`, 'float32', tensor.shape],
        Array.from(tensor.data),
      ]),
    );
    expect(rows).toEqual([...expected, ['2.15.0', 'tensorflow']]);
    expect(layers.map(({ name }) => name)).toEqual([
      ...['conv2d', 'batch_normalization', 'depthwise_conv2d', 'conv2d_1'],
      ...['batch_normalization_1', 'dense', 'dense_1'],
    ]);
  });

  const conv = [Array.from({ length: 54 }, (_, i) => i), [5, 6]];
  const norm = [
    [1, 1],
    [0, 0],
    [0.25, 0.5],
    [2, 3],
  ];

  it('Keras 2: reads a saved model, with a network inside it', async () => {
    const path = join(below, 'keras2.h5');
    h5py!.run(writeKeras2, path, 'f2');
    await expect(readWeights(path)).rejects.toThrow(
      /keras2\.h5: dense\/kernel:0: its values are 16-bit floats, expected 32 or 64 bits\nfix: save/,
    );
    h5py!.run(writeKeras2, path, 'f8');
    const { format, layers } = await readWeights(path);
    expect(format).toBe('keras');
    expect(layers.map(({ name, kind }) => [name, kind])).toEqual([
      ...[
        ['stem', 'filters'],
        ['bn', 'norm'],
        ['dw', 'filters'],
        ['dense', 'dense'],
      ],
    ]);
    const values = layers.map(({ tensors }) =>
      [...tensors.values()].map((t) => Array.from(t.data)),
    );
    expect(values).toEqual([conv, norm, [Array(18).fill(1)], [[0, 1, 2, 3, 4, 5]]]);
    expect([...layers[1].tensors.keys()]).toEqual([
      ...['gamma', 'beta', 'runningMean', 'runningVariance'],
    ]);
  });

  for (const root of ['layers', '_layer_checkpoint_dependencies', 'layers/functional/layers']) {
    it(`Keras 3: reads weights below ${root}, and maps them by kind`, async () => {
      const path = join(below, 'keras3.weights.h5');
      h5py!.run(writeKeras3, path, root);
      const { layers } = await readWeights(path);
      const byKind = Object.fromEntries(
        layers.map(({ kind, tensors }) => [
          kind,
          [...tensors.values()].map((t) => Array.from(t.data)),
        ]),
      );
      expect(byKind).toEqual({ filters: conv, norm, dense: [[0, 1, 2, 3, 4, 5]] });
      const model = new Sequential(
        new Conv2d(device, { inChannels: 3, outChannels: 2, kernelSize: 3 }),
        new BatchNorm2d(device, { channels: 2 }),
        new Dense(device, { inFeatures: 2, outFeatures: 3, bias: false }),
      );
      const report = await initFrom(model, path, { input: [3, 3, 3] });
      expect(report).toMatchObject({ missing: [], unused: [], mismatched: [] });
      expect(report.matched[0]).toEqual({
        ...{ name: '0.weight', from: `${root}/conv2d/vars/0`, by: 'order' },
      });
    });
  }
});
