import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDevice, type Device } from '../../src/device.js';
import { ShapeError, UsageError } from '../../src/gpu/errors.js';
import { createModel, mlp, modelFactories, resnet } from '../../src/models/index.js';

/** Published counts where there are any, else summed by hand: see docs/models.md. */
const counts: Record<string, number> = {
  'mnist-cnn': 3_274_634,
  mlp: 235_146,
  'simpsons-tf': 550_322,
  'simpsons-keras': 10_260_018,
  'cifar-simple': 1_250_858,
  'cifar-vgg': 14_987_210,
  resnet: 25_557_032,
  resnet18: 11_689_512,
  resnet34: 21_797_672,
  resnet50: 25_557_032,
  resnet101: 44_549_160,
  resnet152: 60_192_808,
  'efficient-net-b0': 5_288_548,
};

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

  for (const [name, count] of Object.entries(counts)) {
    it(`${name} has ${count.toLocaleString('en-US')} parameters`, () => {
      const model = createModel(device, name);
      expect([...model.parameters()].reduce((sum, { size }) => sum + size, 0)).toBe(count);
      model.dispose();
    });
  }

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
    const model = createModel(device, name, { input: [32, 40, 1], classes: 7 });
    expect(model.summary([32, 40, 1]).layers.at(-1)?.output).toEqual([7]);
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
      'images too small',
      () => createModel(device, 'simpsons-keras', { input: [16, 64, 3] }),
      ShapeError,
      'simpsonsKeras: images of 16×64 are smaller than the network can take\nfix: use images of at least 22×22',
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

  it('takes the smallest images its error names', () => {
    const model = createModel(device, 'simpsons-keras', { input: [22, 22, 3], classes: 2 });
    expect(model.summary([22, 22, 3]).layers.at(-1)?.output).toEqual([2]);
  });
});
