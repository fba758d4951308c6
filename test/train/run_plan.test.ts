import { describe, expect, it } from 'vitest';
import { openRunData } from '../../src/train/run_data.js';
import { planRun } from '../../src/train/run_plan.js';
import type { Settings } from '../../src/train/settings.js';

const planned = (recipe: string, settings: Partial<Settings>) =>
  planRun({ recipe, settings: { data: 'builtin:signs', ...settings }, out: 'a-folder-of-no-run' })
    .config;

describe('the plan of an overfit check', () => {
  it('leaves out what hinders learning by heart', () => {
    const config = planned('cifar100-vgg', { overfit: true });
    expect(config).toMatchObject({
      ...{ optimizer: 'adam', momentum: null, epochs: 100, batchSize: 32, dropLast: false },
      ...{ dropout: 0, l2: 0, weightDecay: 0, augment: 'none', schedule: 'inverse-time:0.01' },
    });
    expect(planned('cifar100-vgg', {})).toMatchObject({ optimizer: 'sgd', l2: 5e-4, lr: 0.1 });
  });

  it('takes the rate that a recipe names for it, else one for all', () => {
    const config = (recipe: string, settings: Partial<Settings> = {}) =>
      planned(recipe, { overfit: true, ...settings });
    const common = { lr: 1e-3, schedule: 'inverse-time:0.01' };
    for (const recipe of ['cifar100-transfer', 'simpsons-tf', 'cifar100-vgg', 'mnist']) {
      expect(config(recipe), recipe).toMatchObject(common);
    }
    const own = { lr: 2e-4, schedule: 'step:40,0.5', batchSize: 16 };
    expect(config('traffic')).toMatchObject(own);
    expect(config('traffic', { lr: 3e-5, batchSize: 8 })).toMatchObject({
      ...own,
      ...{ lr: 3e-5, batchSize: 8 },
    });
    expect(config('traffic', { model: 'simpsons-tf' })).toMatchObject({ ...common, batchSize: 32 });
  });

  it('fills whole batches, or takes as many images as are asked for', async () => {
    const size = async (settings: Partial<Settings>) => {
      const config = planned('mnist', { overfit: true, data: 'builtin:digits', ...settings });
      return (await openRunData(config, () => undefined)).train.size;
    };
    // 1 % of the 6,000 digits are 60 images: two batches of 32, four of 16, one of 300.
    expect(await size({})).toBe(64);
    expect(await size({ batchSize: 16 })).toBe(64);
    expect(await size({ batchSize: 300 })).toBe(300);
    expect(await size({ limit: 40 })).toBe(40);
  });
});
