import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDevice, type Device } from '../../src/device.js';
import { UsageError } from '../../src/errors.js';
import { createModel } from '../../src/models/index.js';
import { recipeOf, recipes, recipeSettings } from '../../src/train/recipes.js';
import { checkSettings } from '../../src/train/run_config.js';

describe('recipes', () => {
  it('are those the command line promises', () => {
    expect(recipes.map(({ name }) => name)).toEqual([
      'mnist',
      'traffic',
      'simpsons-tf',
      'simpsons-keras',
      'cifar100-simple',
      'cifar100-vgg',
      'cifar100-transfer',
      'images',
    ]);
  });

  it('an unknown one is an error that names them', () => {
    expect(() => recipeOf('cifar10')).toThrow(UsageError);
    expect(() => recipeOf('cifar10')).toThrow(
      'train: no recipe named "cifar10"; there are mnist, traffic, simpsons-tf,',
    );
  });

  it.each(recipes)('$name has settings that a config file may have', ({ name, settings }) => {
    expect(checkSettings(name, settings)).toEqual(settings);
  });

  it.each([
    ['mnist', { epochs: 12, batchSize: 64, lr: 5e-4, schedule: 'stages:5e-4,3e-4,1e-4' }],
    [
      'traffic',
      { input: [64, 64, 3], epochs: 20, batchSize: 32, lr: 5e-5, schedule: 'inverse-time:2e-6' },
    ],
    ['simpsons-tf', { input: [64, 64, 3], epochs: 70, batchSize: 64, lr: 1e-3, dropout: 0.4 }],
    ['simpsons-keras', { input: [64, 64, 3], epochs: 7, batchSize: 32, lr: 1e-3 }],
    ['cifar100-simple', { epochs: 50, batchSize: 64, lr: 1e-3, augment: 'flip,shift=0.1' }],
    [
      'cifar100-vgg',
      {
        ...{ epochs: 250, batchSize: 128, optimizer: 'sgd', momentum: 0.9, nesterov: true },
        ...{ lr: 0.1, schedule: 'exponential:0.966', l2: 5e-4, weightDecay: 0 },
        augment: 'flip,shift=0.1,rotation=15',
      },
    ],
    [
      'cifar100-transfer',
      {
        ...{ input: [224, 224, 3], normalize: 'imagenet', epochs: 15, batchSize: 16, lr: 1e-4 },
        ...{ schedule: 'plateau:0.5,2', earlyStopping: 5, dropout: 0.2 },
      },
    ],
  ])('%s has the numbers that were published for it', (name, published) => {
    const settings = recipeSettings(recipeOf(name));
    expect(settings).toMatchObject(published);
    if (name !== 'cifar100-vgg') expect(settings).toMatchObject({ optimizer: 'adam', l2: 0 });
  });

  describe('build their model for their images', () => {
    let device: Device;
    let anchor: Device;
    beforeAll(async () => {
      anchor = await createDevice({ isNull: true });
    });
    afterAll(() => anchor.destroy());
    beforeEach(async () => {
      device = await createDevice({ isNull: true });
    });
    afterEach(() => device.destroy());

    for (const { name, settings } of recipes) {
      it(`${name}: ${settings.model}`, () => {
        const input = settings.input ?? [32, 32, 3];
        const network = createModel(device, settings.model, { input, classes: 43 });
        expect(network.summary(input).layers.at(-1)?.output).toEqual([43]);
      });
    }
  });
});
