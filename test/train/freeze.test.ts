import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../src/device.js';
import { createDevice } from '../../src/device.js';
import { UsageError } from '../../src/errors.js';
import { BatchNorm2d, Conv2d, Dropout, Sequential, StochasticDepth } from '../../src/nn/index.js';
import { Freezer, matchesPattern, parametersOf, setDropout } from '../../src/train/freeze.js';

let device: Device;
beforeAll(async () => {
  device = await createDevice({ isNull: true });
});
afterAll(() => device.destroy());

const network = (): Sequential =>
  new Sequential(
    new Conv2d(device, { inChannels: 1, outChannels: 2, kernelSize: 3 }),
    new BatchNorm2d(device, { channels: 2 }),
    new Dropout({ rate: 0.5 }),
    new Conv2d(device, { inChannels: 2, outChannels: 3, kernelSize: 3 }),
    new StochasticDepth({ rate: 0.2 }),
  );

describe('a pattern', () => {
  it.each([
    ['layer1', 'layer1.0.weight', true],
    ['layer1', 'layer10.0.weight', false],
    ['layer1.0', 'layer1.0.weight', true],
    ['*.bias', 'layer1.0.bias', true],
    ['*.bias', 'layer1.0.weight', false],
    ['layer*.weight', 'layer3.2.weight', true],
    ['*', 'anything', true],
    ['layer1.0.weight', 'layer1x0.weight', false],
  ])('%s means %s: %s', (pattern, name, isMeant) => {
    expect(matchesPattern(name, pattern)).toBe(isMeant);
  });

  it('that means nothing is an error that names the modules', () => {
    const find = () => parametersOf(network(), ['fc'], 'freeze');
    expect(find).toThrow(UsageError);
    expect(find).toThrow('fit: freeze fc: no parameter has such a name\nfix: modules are');
  });
});

describe('a freezer', () => {
  it('keeps gradients from frozen parameters and batch norms in evaluation mode', () => {
    const model = network();
    const names = [...model.namedParameters()].map(([name]) => name);
    const [first, second] = names.map((name) => name.replace(/\.\w+$/, ''));
    const batchNorm = [...model.namedModules()].find(([, m]) => m instanceof BatchNorm2d)!;
    const freezer = new Freezer(model, [first, second, batchNorm[0]]);
    expect(freezer.set(true)).toBe(true);
    expect(freezer.set(true)).toBe(false);
    freezer.train();
    const trained = [...model.namedParameters()].filter(([, p]) => p.requiresGrad);
    expect(trained.map(([, { shape }]) => shape)).toEqual([[3, 3, 2, 3], [3]]);
    expect(batchNorm[1].isTraining).toBe(false);
    expect([...model.children()].some(([, m]) => m instanceof Dropout && m.isTraining)).toBe(true);

    expect(freezer.set(false)).toBe(true);
    freezer.train();
    expect([...model.parameters()].every((p) => p.requiresGrad)).toBe(true);
    expect(batchNorm[1].isTraining).toBe(true);
  });

  it('refuses to freeze everything', () => {
    expect(() => new Freezer(network(), ['*'])).toThrow('leaves no parameter to train');
  });
});

describe('setDropout', () => {
  it('sets every dropout layer, and with 0 drops no branches either', () => {
    const model = network();
    const rates = (): number[] =>
      [...model.children()]
        .map(([, m]) => m)
        .filter((m) => m instanceof Dropout || m instanceof StochasticDepth)
        .map((m) => m.rate);
    setDropout(model, 0.25, 'n');
    expect(rates()).toEqual([0.25, 0.2]);
    setDropout(model, 0, 'n');
    expect(rates()).toEqual([0, 0]);
  });

  it('is refused for a network that has none', () => {
    const model = new Sequential(new BatchNorm2d(device, { channels: 2 }));
    expect(() => setDropout(model, 0.5, 'n')).toThrow('the model n has no dropout layer');
    setDropout(model, 0, 'n');
  });
});
