import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDevice, type Device } from '../../src/device.js';
import { ShapeError, UsageError } from '../../src/errors.js';
import {
  createModel,
  mlp,
  modelFactories,
  publishedOptions,
  resnet,
} from '../../src/models/index.js';
import { Dropout, StochasticDepth } from '../../src/nn/index.js';

interface Count {
  total: number;
  trainable: number;
}

function all(count: number): Count {
  return { total: count, trainable: count };
}

/** Published counts where there are any, else summed by hand: see docs/models.md and below. */
const counts: Record<string, Count> = {
  'mnist-cnn': all(3_274_634),
  mlp: all(235_146),
  'simpsons-tf': all(1_083_874),
  'simpsons-keras': all(2_941_742),
  'cifar-simple': { total: 1_777_636, trainable: 1_775_716 },
  'cifar-vgg': { total: 15_047_588, trainable: 15_038_116 },
  'compact-resnet': { total: 1_231_850, trainable: 1_228_970 },
  'cifar-resnet20': { total: 271_098, trainable: 269_722 },
  'cifar-resnet32': { total: 466_426, trainable: 464_154 },
  'cifar-resnet44': { total: 661_754, trainable: 658_586 },
  'cifar-resnet56': { total: 857_082, trainable: 853_018 },
  resnet: { total: 25_610_152, trainable: 25_557_032 },
  resnet18: { total: 11_699_112, trainable: 11_689_512 },
  resnet34: { total: 21_814_696, trainable: 21_797_672 },
  resnet50: { total: 25_610_152, trainable: 25_557_032 },
  resnet101: { total: 44_654_504, trainable: 44_549_160 },
  resnet152: { total: 60_344_232, trainable: 60_192_808 },
  'resnet101-v1': { total: 42_746_283, trainable: 42_640_939 },
  'efficient-net-b0': { total: 4_177_664, trainable: 4_135_648 },
};

/** Weights and biases of a k×k convolution; a dense layer is one of 1×1. */
function filters(k: number, from: number, to: number): number {
  return k * k * from * to + to;
}

describe('models on a device that computes nothing', () => {
  let device: Device;
  let anchor: Device;
  beforeAll(async () => {
    anchor = await createDevice({ isNull: true });
  });
  afterAll(() => anchor.destroy());
  // A device for each test: a null device has half a gigabyte of memory. The one above keeps the
  // GPU's entry open between them.
  beforeEach(async () => {
    device = await createDevice({ isNull: true });
  });
  afterEach(() => device.destroy());

  it('counts every model there is', () => {
    expect(Object.keys(counts).sort()).toEqual(Object.keys(modelFactories).sort());
  });

  for (const [name, { total, trainable }] of Object.entries(counts)) {
    const thousands = (count: number): string => count.toLocaleString('en-US');
    it(`${name} has ${thousands(total)} parameters, ${thousands(trainable)} trained`, () => {
      const model = createModel(device, name, publishedOptions(name));
      const { parameters } = model.summary(publishedOptions(name).input);
      expect(parameters).toEqual({ total, trainable, nonTrainable: total - trainable });
    });
  }

  it('every function’s own input and classes are the published ones', () => {
    for (const [name, { trainable }] of Object.entries(counts)) {
      const model = createModel(device, name);
      const sizes = [...model.parameters()].map(({ size }) => size);
      expect(
        sizes.reduce((sum, size) => sum + size, 0),
        name,
      ).toBe(trainable);
      model.dispose();
    }
  });

  it('resnet101-v1 has the sum of its stages', () => {
    // Each batch norm has γ and β, and two running statistics that are not trained.
    let [trainable, channels] = [filters(7, 3, 64) + 2 * 64, 64];
    let normed = 64;
    for (const [stage, blocks] of [3, 4, 23, 3].entries()) {
      const [narrow, wide] = [64 * 2 ** stage, 256 * 2 ** stage];
      for (let i = 0; i < blocks; i++) {
        const from = i === 0 ? channels : wide;
        trainable += filters(1, from, narrow) + filters(3, narrow, narrow);
        trainable += filters(1, narrow, wide) + 2 * (2 * narrow + wide);
        normed += 2 * narrow + wide;
      }
      trainable += filters(1, channels, wide) + 2 * wide;
      normed += wide;
      channels = wide;
    }
    // 64 pixels become 32, 15, 15, 8, 4, 2 and at last 1.
    trainable += filters(1, 2048, 43);
    expect({ total: trainable + 2 * normed, trainable }).toEqual(counts['resnet101-v1']);
  });

  it('simpsons-tf has the sum of its layers', () => {
    const convolutions = filters(3, 3, 8) + filters(3, 8, 16) + filters(3, 16, 32);
    const dense = filters(1, 4 * 4 * 64, 512) + 2 * filters(1, 512, 512) + filters(1, 512, 18);
    expect(convolutions + filters(3, 32, 64) + dense).toBe(counts['simpsons-tf'].total);
  });

  it('counts batch norm’s running statistics apart: resnet18 has 9,600 of them', () => {
    const model = createModel(device, 'resnet18', { input: [32, 32, 3], classes: 10 });
    const { parameters } = model.summary([32, 32, 3]);
    // 3·3·3·64 instead of 7·7·3·64 in the stem, 10 classes instead of 1000.
    const trainable = 11_689_512 - 7_680 - 990 * 513;
    expect(parameters).toEqual({ trainable, nonTrainable: 9_600, total: trainable + 9_600 });
    model.dispose();
  });

  it('needs 3.6 GFLOP for an image of 224×224 in resnet18, as published (1.8 G multiply-adds)', () => {
    const model = createModel(device, 'resnet18');
    const { flops, layers } = model.summary([224, 224, 3]);
    const products = layers.filter(({ type }) => type === 'Conv2d' || type === 'Dense');
    const multiplyAdds = products.reduce((sum, layer) => sum + layer.flops, 0) / 2;
    expect(multiplyAdds).toBe(1_814_073_344);
    expect(flops).toBeGreaterThan(2 * multiplyAdds);
    expect(layers.find(({ name }) => name === 'layer4.1.bn2')?.output).toEqual([7, 7, 512]);
    model.dispose();
  });

  it('resnet has the module names of torchvision', () => {
    const names = [...resnet(device, { depth: 50 }).stateDict().keys()];
    for (const name of [
      'conv1.weight',
      'bn1.gamma',
      'layer1.0.conv1.weight',
      'layer1.0.downsample.0.weight',
      'layer1.0.downsample.1.runningVariance',
      'layer4.2.bn3.beta',
      'fc.weight',
      'fc.bias',
    ]) {
      expect(names).toContain(name);
    }
    expect(names).not.toContain('layer1.1.downsample.0.weight');
    // 53 convolutions, 53 batch norms of four tensors, and the dense layer.
    expect(names.length).toBe(53 + 4 * 53 + 2);
  });

  it('takes the small stem up to 64 pixels, unless told otherwise', () => {
    const edgeAfterStem = (edge: number, stem?: 'large' | 'small'): number => {
      const model = resnet(device, { depth: 18, input: [edge, edge, 3], stem });
      const { layers } = model.summary([edge, edge, 3]);
      return layers.find(({ name }) => name === 'layer1.0.conv1')!.output[0];
    };
    expect(edgeAfterStem(64)).toBe(64);
    expect(edgeAfterStem(65)).toBe(17);
    expect(edgeAfterStem(64, 'large')).toBe(16);
    expect(edgeAfterStem(96, 'small')).toBe(96);
  });

  it.each(Object.keys(modelFactories))('%s takes other channels and classes', (name) => {
    const model = createModel(device, name, { input: [37, 40, 1], classes: 7 });
    expect(model.summary([37, 40, 1]).layers.at(-1)?.output).toEqual([7]);
  });

  /** Letters of the layers in order: C convolution, B batch norm, P pooling, D dropout, F dense, … */
  const order = (name: string): string => {
    const letters: Record<string, string> = {
      ...{ Conv2d: 'C', BatchNorm2d: 'B', MaxPool2d: 'P', GlobalAvgPool2d: 'G', Dropout: 'D' },
      ...{ Dense: 'F', Flatten: '-' },
    };
    const layers = [...createModel(device, name).children()];
    return layers.map(([, layer]) => letters[layer.constructor.name]).join('');
  };

  it.each([
    ['mnist-cnn', 'CPCP-FDF'],
    ['simpsons-tf', 'CPCPCPCP-DFDFDFDF'],
    ['simpsons-keras', 'CPCPCPP-FDF'],
    ['cifar-simple', 'CDBCPDBCPDBCBGDFFF'],
    ['cifar-vgg', 'CBDCBPCBDCBPCBDCBDCBPCBDCBDCBPCBDCBDCBPD-FBDF'],
  ])('%s has its layers in the published order', (name, layers) => {
    expect(order(name)).toBe(layers);
  });

  it.each([
    ['simpsons-tf', [0.4, 0.4, 0.4, 0.4]],
    ['simpsons-keras', [0.5]],
    ['cifar-simple', [0.25, 0.25, 0.25, 0.25]],
    ['cifar-vgg', [0.3, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.5, 0.5]],
    ['efficient-net-b0', [0.2]],
    ['compact-resnet', [0.2]],
  ])('%s drops as published', (name, rates) => {
    const modules = [...createModel(device, name).namedModules()].map(([, module]) => module);
    const dropouts = modules.filter((module) => module instanceof Dropout);
    expect(dropouts.map(({ rate }) => rate)).toEqual(rates);
  });

  it('efficient-net-b0 drops branches ever more often', () => {
    const modules = [...createModel(device, 'efficient-net-b0').namedModules()];
    const drops = modules.filter(([, module]) => module instanceof StochasticDepth);
    const rates = drops.map(([name, module]) => [name, (module as StochasticDepth).rate * 80]);
    const blocks = '2b 3b 4b 4c 5b 5c 6b 6c 6d'.split(' ');
    expect(rates).toEqual(
      [2, 4, 6, 7, 9, 10, 12, 13, 14].map((i, at) => [
        `block${blocks[at]}.drop`,
        expect.closeTo(i, 10) as number,
      ]),
    );
  });

  it('residual networks take three kinds of shortcuts', () => {
    const counts = (['pad', 'pad-both', 'projection'] as const).map((shortcut) => {
      const model = createModel(device, 'cifar-resnet20', { shortcut });
      return model.summary([32, 32, 3]).parameters.total;
    });
    // Two convolutions of 1×1, from 16 to 32 and on to 64 channels, with four numbers a channel.
    const projected = 271_098 + 16 * 32 + 32 * 64 + 4 * (32 + 64);
    expect(counts).toEqual([271_098, 271_098, projected]);
    const padded = createModel(device, 'cifar-resnet20', { shortcut: 'pad-both' }).toString();
    expect(padded).toContain(
      'PadShortcut(stride=2, 16 channels added, 8 of them before the others)',
    );
  });

  it('mlp takes its hidden sizes', () => {
    expect(mlp(device, { hidden: [5], input: [2, 2, 1], classes: 3 }).toString()).toBe(
      'Sequential(\n  (0): Flatten()\n  (1): Dense(4 → 5, activation=relu)\n  (2): Dense(5 → 3)\n)',
    );
    expect(mlp(device, { hidden: [], input: [2, 2, 1], dropout: 0.5 }).layers.length).toBe(2);
    expect(mlp(device, { hidden: [8, 8], dropout: 0.5 }).layers.length).toBe(6);
  });

  describe('errors', () => {
    const failing = (
      title: string,
      run: () => unknown,
      type: new (message: string) => Error,
      text: string,
    ): void => {
      it(title, () => {
        expect(run).toThrow(type);
        expect(run).toThrow(text);
      });
    };
    failing(
      'an unknown name',
      () => createModel(device, 'alexnet'),
      UsageError,
      'model: no model named "alexnet"; there are mnist-cnn, mlp,',
    );
    failing(
      'a name every object has',
      () => createModel(device, 'constructor'),
      UsageError,
      'no model named "constructor"',
    );
    failing(
      'an unknown depth',
      () => resnet(device, { depth: 20 as 18 }),
      UsageError,
      'resnet: expected depth 18, 34, 50, 101, 152, got 20',
    );
    failing(
      'a shortcut for a network without any',
      () => createModel(device, 'mlp', { shortcut: 'pad' }),
      UsageError,
      'model: mlp has no shortcuts to choose\nfix: leave out --shortcut',
    );
    failing(
      'an impossible input',
      () => createModel(device, 'mlp', { input: [28, 0, 1] }),
      ShapeError,
      'mlp: input must be height, width and channels, whole numbers from 1 on, got [28, 0, 1]',
    );
    failing(
      'no classes',
      () => createModel(device, 'cifar-vgg', { classes: 0 }),
      ShapeError,
      'cifarVgg: classes must be a whole number from 1 on, got 0',
    );
  });

  const least: [model: string, title: string, edge: number][] = [
    ['mnist-cnn', 'mnistCnn', 4],
    ['simpsons-tf', 'simpsonsTf', 16],
    ['simpsons-keras', 'simpsonsKeras', 30],
    ['cifar-simple', 'cifarSimple', 20],
    ['cifar-vgg', 'cifarVgg', 32],
    ['resnet101-v1', 'resnet101V1', 37],
  ];
  it.each(least)('%s refuses images that are too small, and says from where on', (...row) => {
    const [name, title, edge] = row;
    const smaller: [number, number, number] = [edge - 1, edge + 8, 3];
    const run = (): unknown => createModel(device, name, { input: smaller, classes: 2 });
    expect(run).toThrow(ShapeError);
    expect(run).toThrow(
      `${title}: images of ${edge - 1}×${edge + 8} are smaller than the network can take\nfix: use images of at least ${edge}×${edge}`,
    );
    const model = createModel(device, name, { input: [edge, edge, 3], classes: 2 });
    expect(model.summary([edge, edge, 3]).layers.at(-1)?.output).toEqual([2]);
  });

  it.each(['mlp', 'resnet18', 'cifar-resnet20', 'efficient-net-b0'])(
    '%s takes even a single pixel',
    (name) => {
      const model = createModel(device, name, { input: [1, 1, 3], classes: 2 });
      expect(model.summary([1, 1, 3]).layers.at(-1)?.output).toEqual([2]);
    },
  );
});
