import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDevice, type Device } from '../../src/device.js';
import { UsageError } from '../../src/gpu/errors.js';
import { createModel } from '../../src/models/index.js';
import { recipeOf, recipes } from '../../src/train/recipes.js';
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
