import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDevice, type Device } from '../../src/device.js';
import { UsageError } from '../../src/gpu/errors.js';
import { createModel } from '../../src/models/index.js';
import { learningRateAt, optimizerNames, recipeOf, recipes } from '../../src/train/recipes.js';

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

  it.each(recipes)('$name has sensible numbers', (recipe) => {
    expect(optimizerNames).toContain(recipe.optimizer);
    expect(recipe.epochs % recipe.learningRates.length).toBe(0);
    const rates = [...recipe.learningRates];
    expect(rates).toEqual(rates.toSorted((a, b) => b - a));
    expect(rates.every((rate) => rate > 0 && rate <= 0.1)).toBe(true);
    expect(recipe.validationShare).toBeGreaterThan(0);
    expect(recipe.validationShare).toBeLessThan(0.5);
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

    for (const { name, model, imageSize, channels } of recipes) {
      it(`${name}: ${model}`, () => {
        const input = [...(imageSize ?? [32, 32]), channels ?? 3] as unknown as [
          number,
          number,
          number,
        ];
        const network = createModel(device, model, { input, classes: 43 });
        expect(network.summary(input).layers.at(-1)?.output).toEqual([43]);
      });
    }
  });

  it('rates come in equal stages', () => {
    const rates = Array.from({ length: 12 }, (_, epoch) => learningRateAt([3, 2, 1], epoch, 12));
    expect(rates).toEqual([3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1]);
    // A run that was prolonged beyond its stages stays at the last rate.
    expect(learningRateAt([3, 2, 1], 12, 12)).toBe(1);
  });
});
