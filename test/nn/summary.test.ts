import { afterAll, describe, expect, it } from 'vitest';
import { createDevice } from '../../src/device.js';
import { mnistCnn } from '../../src/models/index.js';
import {
  BatchNorm2d,
  Dense,
  Dropout,
  ReLU,
  Sequential,
  SqueezeExcite,
} from '../../src/nn/index.js';

const device = await createDevice({ isNull: true });
afterAll(() => device.destroy());

describe('summary', () => {
  it('of mnistCnn has the numbers of a sheet of paper', () => {
    const model = mnistCnn(device);
    const row = (
      name: number,
      type: string,
      output: number[],
      parameters: number,
      flops: number,
    ) => ({
      ...{ name: String(name), type, output, parameters, flops },
    });
    const { layers, parameters, flops, activationBytes } = model.summary([28, 28, 1]);
    expect(layers).toEqual([
      // 2 · P·Q·K · R·S·C for each convolution, window size for each pooled value.
      row(0, 'Conv2d', [28, 28, 32], 5 * 5 * 1 * 32 + 32, 2 * 28 * 28 * 32 * 5 * 5 * 1),
      row(1, 'MaxPool2d', [14, 14, 32], 0, 14 * 14 * 32 * 4),
      row(2, 'Conv2d', [14, 14, 64], 5 * 5 * 32 * 64 + 64, 2 * 14 * 14 * 64 * 5 * 5 * 32),
      row(3, 'MaxPool2d', [7, 7, 64], 0, 7 * 7 * 64 * 4),
      row(4, 'Flatten', [3136], 0, 0),
      row(5, 'Dense', [1024], 3136 * 1024 + 1024, 2 * 3136 * 1024),
      row(6, 'Dropout', [1024], 0, 0),
      row(7, 'Dense', [10], 1024 * 10 + 10, 2 * 1024 * 10),
    ]);
    expect(parameters).toEqual({ total: 3_274_634, trainable: 3_274_634, nonTrainable: 0 });
    expect(flops).toBe(27_805_440);
    // Float32 values: 25,088 + 6,272 + 12,544 + 3,136 + 1,024 + 1,024 + 10; flattening copies nothing.
    expect(activationBytes).toBe(4 * 49_098);
  });

  it('counts buffers apart, and adds up all operations of a module', () => {
    const model = new Sequential(
      new SqueezeExcite(device, { channels: 8, reducedChannels: 2 }),
      new BatchNorm2d(device, { channels: 8 }),
    );
    const { layers, parameters } = model.summary([4, 4, 8]);
    expect(layers.map(({ name, type, output }) => [name, type, ...output])).toEqual([
      ['0', 'SqueezeExcite', 4, 4, 8],
      ['0.reduce', 'Conv2d', 1, 1, 2],
      ['0.expand', 'Conv2d', 1, 1, 8],
      ['1', 'BatchNorm2d', 4, 4, 8],
    ]);
    expect(layers.map((layer) => layer.parameters)).toEqual([0, 18, 24, 16]);
    expect(parameters).toEqual({ total: 74, trainable: 58, nonTrainable: 16 });
  });

  it('leaves modes as they were and memory free', () => {
    const model = new Sequential(
      new Dropout({ rate: 0.5 }),
      new Dense(device, { ...{ inFeatures: 4, outFeatures: 1 } }),
    );
    model.layers[1].eval();
    const before = device.memory.liveBuffers;
    model.summary([4]);
    expect(device.memory.liveBuffers).toBe(before);
    expect([...model.namedModules()].map(([, { isTraining }]) => isTraining)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('of a part names its layers from there, after the whole has run too', () => {
    const part = new Sequential(new Dense(device, { inFeatures: 4, outFeatures: 2 }), new ReLU());
    const whole = new Sequential(new ReLU(), part);
    const names = ({ layers }: ReturnType<Sequential['summary']>): string[] =>
      layers.map(({ name, type }) => `${name} ${type}`);
    expect(names(whole.summary([4]))).toEqual(['0 ReLU', '1.0 Dense', '1.1 ReLU']);
    expect(names(part.summary([4]))).toEqual(['0 Dense', '1 ReLU']);
    expect(part.summary([4]).layers[0].parameters).toBe(10);
  });

  it('restores modes where the input does not fit', () => {
    const model = new Sequential(new Dense(device, { inFeatures: 4, outFeatures: 2 }));
    expect(() => model.summary([5])).toThrow('dense: w has in=4 but x has 5 features');
    expect(model.isTraining && model.layers[0].isTraining).toBe(true);
  });

  it('needs a device to run on', () => {
    expect(() => new ReLU().summary([4])).toThrow(
      'summary: the module has no parameters, so it is on no device',
    );
  });
});

it('prints as the table of the command line', () => {
  const model = new Sequential(new Dense(device, { inFeatures: 1024, outFeatures: 2 }), new ReLU());
  expect(String(model.summary([1024]))).toBe(
    [
      'layer  type   output  parameters  MFLOP',
      '0      Dense  2            2,050   0.00',
      '1      ReLU   2                0   0.00',
      '',
      'parameters   2,050 (2,050 trainable)',
      'forward      0.0 MFLOP an image',
      'activations  0.00 MiB an image',
    ].join('\n'),
  );
});
