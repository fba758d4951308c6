import { describe, expect, it } from 'vitest';
import { noGrad } from '../../src/autograd/recording.js';
import { ShapeError } from '../../src/errors.js';
import {
  Add,
  BatchNorm2d,
  Conv2d,
  Dense,
  DepthwiseConv2d,
  Dropout,
  Flatten,
  GlobalAvgPool2d,
  init,
  MaxPool2d,
  AvgPool2d,
  Module,
  ReLU,
  Sequential,
  Softmax,
  SqueezeExcite,
  StochasticDepth,
  watchModules,
  ZeroPad2d,
} from '../../src/nn/index.js';
import { add } from '../../src/ops/elementwise.js';
import type { Tensor } from '../../src/tensor.js';
import { testDevice } from '../helpers/device.js';

const device = await testDevice();
const dense = (inFeatures: number, outFeatures: number): Dense =>
  new Dense(device, { inFeatures, outFeatures });

function network(): Sequential {
  return new Sequential(
    new Conv2d(device, { inChannels: 1, outChannels: 2, kernelSize: 3, padding: 'same' }),
    new BatchNorm2d(device, { channels: 2, activation: 'relu' }),
    new Add(new Sequential(new Dropout({ rate: 0.5 }), new ReLU())),
    new Flatten(),
    dense(32, 3),
  );
}

/** Modules in a field, in an array, and one that is used twice. */
class Mixed extends Module {
  readonly first = dense(2, 2);
  readonly rest = [dense(2, 3), dense(3, 2)];
  readonly again = this.first;

  forward(x: Tensor): Tensor {
    return [this.first, ...this.rest, this.again].reduce((value, layer) => layer.call(value), x);
  }
}

describe('names', () => {
  it('follow fields and places', () => {
    expect([...network().stateDict().keys()]).toEqual(
      [
        '0.weight',
        '0.bias',
        '4.weight',
        '4.bias',
        ...['1.gamma', '1.beta', '1.runningMean', '1.runningVariance'],
      ].sort(byModule),
    );
    expect([...network().namedModules()].map(([name]) => name)).toEqual([
      '',
      '0',
      '1',
      '2',
      '2.branch',
      '2.branch.0',
      '2.branch.1',
      '3',
      '4',
    ]);
  });

  it('name a module that is used twice once', () => {
    const model = new Mixed();
    expect([...model.namedParameters()].map(([name]) => name)).toEqual([
      'first.weight',
      'first.bias',
      'rest.0.weight',
      'rest.0.bias',
      'rest.1.weight',
      'rest.1.bias',
    ]);
    expect([...model.parameters()].length).toBe(6);
    expect([...model.buffers()].length).toBe(0);
    expect(model.call(device.ones([1, 2])).shape).toEqual([1, 2]);
  });

  it('tell watchers where an output comes from', () => {
    const model = network();
    const seen: string[] = [];
    watchModules(
      (module, path, { shape }) => seen.push(`${path} ${module.constructor.name} ${shape.join()}`),
      () => noGrad(() => model.call(device.ones([1, 4, 4, 1]))).dispose(),
    );
    expect(seen).toEqual([
      '0 Conv2d 1,4,4,2',
      '1 BatchNorm2d 1,4,4,2',
      '2.branch.0 Dropout 1,4,4,2',
      '2.branch.1 ReLU 1,4,4,2',
      '2.branch Sequential 1,4,4,2',
      '2 Add 1,4,4,2',
      '3 Flatten 1,32',
      '4 Dense 1,3',
      'Sequential Sequential 1,3',
    ]);
  });
});

/** The state dict lists parameters before buffers. */
function byModule(a: string, b: string): number {
  const isBuffer = (name: string): number => Number(name.includes('running'));
  return isBuffer(a) - isBuffer(b) || Number(a.split('.')[0]) - Number(b.split('.')[0]);
}

describe('state', () => {
  it('moves from one model to another and gives the same outputs', async () => {
    const [from, to] = [network().eval(), network().eval()];
    const x = device.randn([2, 4, 4, 1]);
    expect(await to.call(x).array()).not.toEqual(await from.call(x).array());
    to.loadStateDict(from.stateDict());
    expect(await to.call(x).array()).toEqual(await from.call(x).array());
  });

  it('loads host values', async () => {
    const layer = dense(1, 2);
    layer.loadStateDict(
      new Map([
        ['weight', { shape: [1, 2], data: Float32Array.of(2, 3) }],
        ['bias', { shape: [2], data: Float32Array.of(-1, 1) }],
      ]),
    );
    expect(await layer.call(device.tensor([[10]])).array()).toEqual([[19, 31]]);
  });

  it('loads what is there and known with strict: false', async () => {
    const layer = dense(1, 1);
    const before = await layer.weight.array();
    const state = new Map([
      ['bias', { shape: [1], data: Float32Array.of(5) }],
      ['gamma', { shape: [1], data: Float32Array.of(5) }],
    ]);
    layer.loadStateDict(state, { strict: false });
    expect(await layer.bias!.array()).toEqual([5]);
    expect(await layer.weight.array()).toEqual(before);
  });

  it('names everything that does not fit, and changes nothing then', async () => {
    const layer = dense(1, 2);
    const before = await layer.bias!.array();
    const load = (): void =>
      layer.loadStateDict(
        new Map([
          ['bias', { shape: [2], data: Float32Array.of(7, 7) }],
          ['weight', { shape: [2, 1], data: Float32Array.of(7, 7) }],
          ['gamma', { shape: [1], data: Float32Array.of(7) }],
        ]),
      );
    expect(load).toThrow(ShapeError);
    expect(load).toThrow(
      'loadStateDict: gamma is unknown; weight has shape [2, 1], expected [1, 2]\n' +
        'fix: build the model with the options it was saved with',
    );
    expect(() => layer.loadStateDict(new Map())).toThrow(
      'loadStateDict: weight is missing; bias is missing',
    );
    const short = new Map([['bias', { shape: [2], data: Float32Array.of(7) }]]);
    expect(() => layer.loadStateDict(short, { strict: false })).toThrow(
      'loadStateDict: bias has 1 values, expected [2]',
    );
    const whole = new Map([['bias', device.tensor(Int32Array.of(7, 7))]]);
    expect(() => layer.loadStateDict(whole, { strict: false })).toThrow(
      'loadStateDict: bias is i32, expected f32',
    );
    expect(await layer.bias!.array()).toEqual(before);
  });

  it('shows five problems and counts the others', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const state = new Map(names.map((name) => [name, device.ones([1])]));
    expect(() => new ReLU().loadStateDict(state)).toThrow(
      'loadStateDict: a is unknown; b is unknown; c is unknown; d is unknown; e is unknown; and 2 more\n',
    );
  });
});

describe('modes', () => {
  it('reach every module below', () => {
    const model = network();
    const modes = (): boolean[] => [...model.namedModules()].map(([, each]) => each.isTraining);
    expect(modes().every(Boolean)).toBe(true);
    expect(model.eval()).toBe(model);
    expect(modes().some(Boolean)).toBe(false);
    model.train();
    expect(modes().every(Boolean)).toBe(true);
    model.train(false);
    expect(modes().some(Boolean)).toBe(false);
  });

  it('zeroGrad forgets the gradients of all parameters', () => {
    const model = dense(2, 1);
    model.call(device.ones([1, 2])).backward();
    expect([...model.parameters()].every(({ grad }) => grad !== null)).toBe(true);
    model.zeroGrad();
    expect([...model.parameters()].every(({ grad }) => grad === null)).toBe(true);
  });
});

describe('memory', () => {
  it('a forward pass under noGrad leaves its result alone', () => {
    const model = network().eval();
    const x = device.ones([2, 4, 4, 1]);
    const before = device.memory.liveBuffers;
    const y = noGrad(() => model.call(x));
    expect(device.memory.liveBuffers).toBe(before + 1);
    y.dispose();
    expect(device.memory.liveBuffers).toBe(before);
  });

  it('a module that returns its input keeps it alive', async () => {
    const layer = new Sequential(new ReLU(), new StochasticDepth({ rate: 0.5 })).eval();
    const y = noGrad(() => layer.call(device.tensor([-1, 2])));
    expect(await y.array()).toEqual([0, 2]);
  });

  it('a training step gives everything back but the gradients', () => {
    const model = network();
    const x = device.ones([2, 4, 4, 1]);
    const step = (): void =>
      device.scope(() => {
        model.zeroGrad();
        model.call(x).backward(device.ones([2, 3]));
      });
    step();
    const after = device.memory.liveBuffers;
    for (let i = 0; i < 5; i++) step();
    expect(device.memory.liveBuffers).toBe(after);
  });

  it('dispose gives back parameters and buffers', () => {
    const before = device.memory.liveBuffers;
    const model = network();
    expect(device.memory.liveBuffers).toBe(before + 8);
    model.dispose();
    expect(device.memory.liveBuffers).toBe(before);
  });
});

describe('text', () => {
  const weightInit = init.heNormal();
  const texts: [Module, string][] = [
    [dense(3, 4), 'Dense(3 → 4)'],
    [
      new Dense(device, {
        inFeatures: 3,
        outFeatures: 4,
        bias: false,
        activation: 'relu',
        weightInit,
      }),
      'Dense(3 → 4, bias=false, activation=relu)',
    ],
    [
      new Conv2d(device, { inChannels: 2, outChannels: 4, kernelSize: 3, stride: 1, groups: 1 }),
      'Conv2d(2 → 4, 3×3)',
    ],
    [
      new Conv2d(device, {
        ...{ inChannels: 2, outChannels: 4, kernelSize: [3, 1], stride: [2, 1], groups: 2 },
        ...{ padding: 'same', dilation: 2, weightInit },
      }),
      'Conv2d(2 → 4, 3×1, stride=[2,1], groups=2, padding=same, dilation=2)',
    ],
    [
      new DepthwiseConv2d(device, { inChannels: 2, kernelSize: 5, multiplier: 2, bias: true }),
      'DepthwiseConv2d(2, 5×5, multiplier=2)',
    ],
    [new BatchNorm2d(device, { channels: 8, momentum: 0.1 }), 'BatchNorm2d(8)'],
    [
      new BatchNorm2d(device, { channels: 8, momentum: 0.01, activation: 'silu' }),
      'BatchNorm2d(8, momentum=0.01, activation=silu)',
    ],
    [new MaxPool2d({ size: 2 }), 'MaxPool2d(size=2)'],
    [
      new AvgPool2d({ size: 3, stride: 2, countIncludePad: true }),
      'AvgPool2d(size=3, stride=2, countIncludePad=true)',
    ],
    [new MaxPool2d({ size: 2, stride: 2, padding: 'valid' }), 'MaxPool2d(size=2)'],
    [new GlobalAvgPool2d(), 'GlobalAvgPool2d()'],
    [new Dropout({ rate: 0.5 }), 'Dropout(0.5)'],
    [new StochasticDepth({ rate: 0.1 }), 'StochasticDepth(0.1)'],
    [new Softmax({ axis: -1 }), 'Softmax()'],
    [new Softmax({ axis: 0 }), 'Softmax(axis=0)'],
    [
      new ZeroPad2d([
        [0, 1],
        [2, 3],
      ]),
      'ZeroPad2d([[0,1],[2,3]])',
    ],
    [
      new Add(new ReLU(), { activation: 'relu', shortcut: new Flatten() }),
      'Add(activation=relu\n  (branch): ReLU()\n  (shortcut): Flatten()\n)',
    ],
    [
      new SqueezeExcite(device, { channels: 4, reducedChannels: 1 }),
      'SqueezeExcite(4 → 1 → 4\n' +
        '  (reduce): Conv2d(4 → 1, 1×1, activation=silu)\n' +
        '  (expand): Conv2d(1 → 4, 1×1, activation=sigmoid)\n)',
    ],
    [
      new Sequential(new Sequential(new ReLU()), new Flatten()),
      'Sequential(\n  (0): Sequential(\n    (0): ReLU()\n  )\n  (1): Flatten()\n)',
    ],
  ];
  it.each(texts)('%s', (module, text) => {
    expect(module.toString()).toBe(text);
  });
});

describe('calls', () => {
  it('pass further inputs on to forward', async () => {
    class Sum extends Module {
      forward(x: Tensor, y: Tensor): Tensor {
        return add(x, y);
      }
    }
    expect(await new Sum().call(device.tensor([1, 2]), device.tensor([10, 20])).array()).toEqual([
      11, 22,
    ]);
  });
});
