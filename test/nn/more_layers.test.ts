import { describe, expect, it } from 'vitest';
import { nn, ops, type Tensor } from '../../src/index.js';
import { testDevice } from '../helpers/device.js';

const device = await testDevice();
const x = device.randn([2, 4, 6, 8]);

/** Each layer beside the op that it stands for. */
const pairs: [nn.Module, (x: Tensor) => Tensor][] = [
  [new nn.ReLU6(), (x) => ops.relu6(x)],
  [new nn.LeakyReLU({ alpha: 0.3 }), (x) => ops.leakyRelu(x, { alpha: 0.3 })],
  [new nn.ELU({ alpha: 2 }), (x) => ops.elu(x, { alpha: 2 })],
  [new nn.GELU({ approximate: 'tanh' }), (x) => ops.gelu(x, { approximate: 'tanh' })],
  [new nn.Sigmoid(), (x) => ops.sigmoid(x)],
  [new nn.HardSwish(), (x) => ops.hardSwish(x)],
  [new nn.Tanh(), (x) => ops.tanh(x)],
  [new nn.Softplus(), (x) => ops.softplus(x)],
  [new nn.LogSoftmax({ axis: 1 }), (x) => ops.logSoftmax(x, { axis: 1 })],
  [new nn.GlobalMaxPool2d(), (x) => ops.globalMaxPool2d(x)],
  [new nn.Upsample({ scale: 2 }), (x) => ops.resize(x, { scale: 2 })],
  [
    new nn.Resize({ size: [3, 5], mode: 'bilinear' }),
    (x) => ops.resize(x, { size: [3, 5], mode: 'bilinear' }),
  ],
  [
    new nn.ReflectionPad2d(2),
    (x) => ops.pad(x, { padding: [[0, 0], [2, 2], [2, 2], [0, 0]], mode: 'reflect' }), // prettier-ignore
  ],
  [
    new nn.ReplicationPad2d([[1, 0], [0, 2]]), // prettier-ignore
    (x) => ops.pad(x, { padding: [[0, 0], [1, 0], [0, 2], [0, 0]], mode: 'edge' }), // prettier-ignore
  ],
  [new nn.DepthToSpace({ blockSize: 2 }), (x) => ops.depthToSpace(x, { blockSize: 2 })],
  [
    new nn.SpaceToDepth({ blockSize: 2, mode: 'CRD' }),
    (x) => ops.spaceToDepth(x, { blockSize: 2, mode: 'CRD' }),
  ],
  [
    new nn.GroupNorm(device, { groups: 2, channels: 8, epsilon: 0.1 }),
    (x) => ops.groupNorm(x, { groups: 2, epsilon: 0.1 }),
  ],
  [
    new nn.InstanceNorm2d(device, { channels: 8, epsilon: 0.1 }),
    (x) => ops.instanceNorm(x, { epsilon: 0.1 }),
  ],
  [
    new nn.LayerNorm(device, { shape: [6, 8], epsilon: 0.1 }),
    (x) => ops.layerNorm(x, { axis: -2, epsilon: 0.1 }),
  ],
];

describe('layers of single ops', () => {
  it.each(pairs.map(([layer, op]) => [layer.constructor.name, layer, op] as const))(
    '%s computes its op',
    async (_, layer, op) => {
      const [got, wanted] = [layer.call(x), op(x)];
      expect(got.shape).toEqual(wanted.shape);
      expect(await got.data()).toEqual(await wanted.data());
    },
  );

  it('learn factors where they are affine, and use them', async () => {
    const layers = [
      new nn.GroupNorm(device, { groups: 4, channels: 8 }),
      new nn.InstanceNorm2d(device, { channels: 8, affine: true }),
      new nn.LayerNorm(device, { shape: 8 }),
    ];
    for (const layer of layers) {
      expect([...layer.parameters()]).toHaveLength(2);
      const plain = await layer.call(x).data();
      layer.gamma!.assign(device.full([8], 2));
      layer.beta!.assign(device.full([8], 1));
      const scaled = await layer.call(x).data();
      plain.forEach((value, i) => expect(scaled[i]).toBeCloseTo(2 * value + 1, 4));
    }
    expect([...new nn.InstanceNorm2d(device, { channels: 8 }).parameters()]).toHaveLength(0);
    const bare = new nn.GroupNorm(device, { groups: 4, channels: 8, affine: false });
    expect([...bare.parameters()]).toHaveLength(0);
  });

  it('ConvTranspose2d: weights, bias, groups, stride and output padding reach the op', async () => {
    const layer = new nn.ConvTranspose2d(device, {
      ...{ inChannels: 8, outChannels: 6, kernelSize: [3, 2], groups: 2, stride: 2 },
      ...{ outputPadding: 1, activation: 'relu', weightInit: nn.init.heNormal() },
    });
    expect(layer.weight.shape).toEqual([3, 2, 3, 8]);
    layer.bias!.assign([1, 2, 3, 4, 5, 6]);
    const wanted = ops.conv2dTranspose(x, layer.weight, {
      ...{ groups: 2, stride: 2, outputPadding: 1, bias: layer.bias, activation: 'relu' },
    });
    expect(await layer.call(x).data()).toEqual(await wanted.data());
    const options = { inChannels: 8, outChannels: 6, kernelSize: 3, groups: 4 };
    expect(() => new nn.ConvTranspose2d(device, options)).toThrow(
      'ConvTranspose2d: groups must divide 8 input and 6 output channels, got 4',
    );
  });

  it('train together in a Sequential and are shown by summary()', async () => {
    const model = new nn.Sequential(
      new nn.Conv2d(device, { inChannels: 3, outChannels: 8, kernelSize: 3, padding: 'same' }),
      new nn.GroupNorm(device, { groups: 2, channels: 8 }),
      new nn.GELU(),
      new nn.ConvTranspose2d(device, { inChannels: 8, outChannels: 4, kernelSize: 2, stride: 2 }),
      new nn.LeakyReLU({ alpha: 0.2 }),
      new nn.Upsample({ scale: 2, mode: 'bilinear' }),
      new nn.GlobalMaxPool2d(),
      new nn.LogSoftmax(),
    );
    const { layers, parameters } = model.summary([6, 6, 3]);
    expect(layers.map(({ type, output, parameters: own }) => [type, output, own])).toEqual([
      ['Conv2d', [6, 6, 8], 3 * 3 * 3 * 8 + 8],
      ['GroupNorm', [6, 6, 8], 16],
      ['GELU', [6, 6, 8], 0],
      ['ConvTranspose2d', [12, 12, 4], 2 * 2 * 8 * 4 + 4],
      ['LeakyReLU', [12, 12, 4], 0],
      ['Upsample', [24, 24, 4], 0],
      ['GlobalMaxPool2d', [4], 0],
      ['LogSoftmax', [4], 0],
    ]);
    expect(parameters.total).toBe(224 + 16 + 132);
    const images = device.randn([2, 6, 6, 3]);
    ops.nllLoss(model.call(images), device.tensor(Int32Array.of(0, 3))).backward();
    for (const parameter of model.parameters()) {
      const gradient = await parameter.grad!.data();
      expect(gradient.some((value) => value !== 0)).toBe(true);
    }
  });
});
