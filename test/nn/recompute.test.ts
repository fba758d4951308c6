import { describe, expect, it } from 'vitest';
import { noGrad } from '../../src/autograd/recording.js';
import { createDevice } from '../../src/device.js';
import { GradError } from '../../src/errors.js';
import { cifarResnet32, cifarVgg, efficientNetB0 } from '../../src/models/index.js';
import {
  Add,
  BatchNorm2d,
  Conv2d,
  Dense,
  Dropout,
  Flatten,
  MaxPool2d,
  Module,
  recompute,
  recomputeSegments,
  Sequential,
  StochasticDepth,
  watchModules,
  type StateValue,
} from '../../src/nn/index.js';
import '../../src/ops/index.js';
import { add, mul } from '../../src/ops/elementwise.js';
import { softmaxCrossEntropy } from '../../src/ops/loss.js';
import { withOperands } from '../../src/ops/mixed_precision.js';
import { SGD } from '../../src/optim/index.js';
import type { Tensor } from '../../src/tensor.js';
import { testDevice } from '../helpers/device.js';

const device = await testDevice();

/** Two convolutions with batch norm, dropout and stochastic depth between, and x added inside the last norm. */
class Block extends Module {
  readonly conv1 = convolution(4, 4);
  readonly bn1 = new BatchNorm2d(device, { channels: 4, activation: 'relu' });
  readonly drop = new Dropout({ rate: 0.3 });
  readonly conv2 = convolution(4, 4);
  readonly depth = new StochasticDepth({ rate: 0.4 });
  readonly bn2 = new BatchNorm2d(device, { channels: 4, activation: 'relu' });

  forward(x: Tensor): Tensor {
    const inner = this.drop.call(this.bn1.call(this.conv1.call(x)));
    return this.bn2.call(this.depth.call(this.conv2.call(inner)), x);
  }
}

function convolution(inChannels: number, outChannels: number): Conv2d {
  return new Conv2d(device, { inChannels, outChannels, kernelSize: 3, padding: 'same' });
}

/** `Add` uses the input of its branch's first layer a second time. */
function network(): Sequential {
  return new Sequential(
    convolution(2, 4),
    new BatchNorm2d(device, { channels: 4, activation: 'silu' }),
    new Block(),
    new Add(new Sequential(new Block(), new Dropout({ rate: 0.2 }), new Block())),
    new MaxPool2d({ size: 2 }),
    new Flatten(),
    new Dense(device, { inFeatures: 64, outFeatures: 3 }),
  );
}

const images = Float32Array.from({ length: 4 * 8 * 8 * 2 }, (_, i) => Math.sin(i * i));
const labels = Int32Array.of(0, 1, 2, 1);

type Bits = Record<string, number[]>;

/** Three steps of training from the same beginning; everything that they change. */
async function trained(
  model: Module,
  state: ReadonlyMap<string, StateValue>,
  { isCaptured = false, wantsInput = false } = {},
): Promise<Bits> {
  model.loadStateDict(state);
  model.zeroGrad();
  device.runtime.random.position = 1000;
  const trainable = [...model.namedParameters()].filter(([, { requiresGrad }]) => requiresGrad);
  const optimizer = new SGD(trainable, { lr: 0.05, momentum: 0.9 });
  const x = device.tensor(images, [4, 8, 8, 2], { requiresGrad: wantsInput });
  const step = (input: Tensor, wanted: Tensor): Tensor => {
    const loss = softmaxCrossEntropy(model.call(input), wanted);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  const run = isCaptured ? device.capture(step) : step;
  const found: Bits = {};
  for (let i = 0; i < 3; i++) {
    const loss = run(x, device.tensor(labels));
    found[`loss ${i}`] = [await loss.item()];
  }
  for (const [name, tensor] of model.stateDict()) found[name] = [...(await tensor.data())];
  for (const [name, { grad }] of model.namedParameters()) {
    if (grad) found[`${name} gradient`] = [...(await grad.data())];
  }
  if (x.grad) found['x gradient'] = [...(await x.grad.data())];
  found.draws = [device.runtime.random.position];
  return found;
}

async function stateOf(model: Module): Promise<Map<string, StateValue>> {
  const entries = [...model.stateDict()].map(async ([name, tensor]) => {
    const data = (await tensor.data()) as Float32Array;
    return [name, { shape: [...tensor.shape], data: data.slice() }] as const;
  });
  return new Map(await Promise.all(entries));
}

describe('a network in segments that are run again', () => {
  const marks: [string, (model: Sequential) => void][] = [
    ['chosen by recomputeSegments', (model) => void recomputeSegments(model, [8, 8, 2])],
    ['of one block each', (model) => (model.layers[2].isRecomputed = true)],
    [
      'in each other',
      (model) => {
        model.isRecomputed = true;
        for (const [, module] of model.namedModules())
          module.isRecomputed = module instanceof Block;
        model.layers[3].isRecomputed = true;
        model.recomputedRuns = [[1, 4]];
      },
    ],
    [
      'of every single module',
      (model) => {
        for (const [, module] of model.namedModules()) module.isRecomputed = true;
      },
    ],
  ];
  it.each(marks)('%s trains with the same bits, captured or not', async (_, mark) => {
    const plain = network();
    const state = await stateOf(plain);
    const expected = await trained(plain, state, { wantsInput: true });
    expect(expected['x gradient'].some((value) => value !== 0)).toBe(true);
    expect(Object.values(expected).flat().every(Number.isFinite)).toBe(true);
    const model = network();
    mark(model);
    expect(await trained(model, state, { wantsInput: true })).toEqual(expected);
    delete expected['x gradient'];
    expect(await trained(model, state, { isCaptured: true })).toEqual(expected);
  });

  it('gives frozen parameters no gradient and moves the statistics of no frozen norm', async () => {
    const freeze = (model: Sequential): Sequential => {
      // The first segment has nothing to train then, and the second begins with a frozen block.
      for (const place of [0, 1, 2]) {
        for (const parameter of model.layers[place].parameters()) parameter.requiresGrad = false;
        model.layers[place].eval();
      }
      return model;
    };
    const plain = freeze(network());
    const state = await stateOf(plain);
    const expected = await trained(plain, state);
    expect(Object.keys(expected)).not.toContain('2.conv1.weight gradient');
    expect(expected['2.bn1.runningMean']).toEqual([0, 0, 0, 0]);
    expect(expected['3.branch.0.bn1.runningMean']).not.toEqual([0, 0, 0, 0]);
    const model = freeze(network());
    model.recomputedRuns = [
      [0, 2],
      [2, 5],
    ];
    expect(await trained(model, state)).toEqual(expected);
  });

  it('multiplies f16 again where the first run did', async (context) => {
    if (!device.runtime.device.features.has('shader-f16')) context.skip('no shader-f16');
    const model = new Sequential(convolution(2, 4), convolution(4, 4), convolution(4, 4));
    const x = device.tensor(images, [4, 8, 8, 2]);
    const gradient = async (): Promise<number[]> => {
      model.zeroGrad();
      withOperands('f16', () => model.call(x)).backward(device.ones([4, 8, 8, 4]));
      const { grad } = (model.layers[0] as Conv2d).weight;
      return [...(await grad!.data())];
    };
    const expected = await gradient();
    model.recomputedRuns = [[0, 3]];
    expect(await gradient()).toEqual(expected);
  });

  it('shows watchers every module once', () => {
    const model = network();
    recomputeSegments(model, [8, 8, 2]);
    const count = [...model.namedModules()].length;
    let seen = 0;
    watchModules(
      () => seen++,
      () => model.call(device.tensor(images, [4, 8, 8, 2])).backward(device.ones([4, 3])),
    );
    expect(seen).toBe(count);
  });
});

describe('recompute', () => {
  it('sends gradients to all inputs and to what the function uses', async () => {
    const [a, b] = [[2], [3]].map((values) => device.tensor(values, [1], { requiresGrad: true }));
    const scale = device.tensor([5], [1], { requiresGrad: true });
    const fn = (x: Tensor, y: Tensor): Tensor => mul(add(mul(x, x), y), scale);
    recompute(fn, mul(a, b), b).backward();
    // s · ((a · b)² + b): 2 s a b², s (2 a² b + 1), (a b)² + b
    expect(await a.grad!.array()).toEqual([180]);
    expect(await b.grad!.array()).toEqual([125]);
    expect(await scale.grad!.array()).toEqual([39]);
  });

  it('computes the example', async () => {
    const w = device.tensor([[2], [1]], [2, 1], { requiresGrad: true });
    recompute((x) => x.matmul(w).square(), device.tensor([[1, 3]])).backward();
    expect(await w.grad!.array()).toEqual([[10], [30]]);
  });

  it('records nothing where no gradient is wanted', () => {
    const x = device.tensor([1, 2]);
    const w = device.tensor([1, 2], [2], { requiresGrad: true });
    expect(recompute((v) => mul(v, v), x).requiresGrad).toBe(false);
    expect(recompute((v) => mul(v, w.detach()), x).requiresGrad).toBe(false);
    expect(noGrad(() => recompute((v) => mul(v, w), x)).requiresGrad).toBe(false);
    expect(recompute((v) => noGrad(() => mul(v, w)), x).requiresGrad).toBe(false);
    expect(recompute((v) => mul(v, w), x).requiresGrad).toBe(true);
  });

  it('passes on what the function only hands through', async () => {
    const w = device.tensor([3], [1], { requiresGrad: true });
    const y = mul(w, 2);
    expect(recompute((v) => v, y)).toBe(y);
    expect(recompute(() => w, y)).toBe(w);
    y.backward();
    expect(await w.grad!.array()).toEqual([2]);
  });

  it('refuses a recorded result that is no input', () => {
    const w = device.tensor([3], [1], { requiresGrad: true });
    const y = mul(w, 2);
    const run = (): Tensor => recompute((x) => mul(x, y), device.tensor([1]));
    expect(run).toThrow(GradError);
    expect(run).toThrow(
      'recompute: mul takes as b the result of mul, which is no input of the segment\n' +
        'fix: pass it to recompute as an input',
    );
  });

  it('refuses a function that draws more the second time', () => {
    const w = device.ones([8], { requiresGrad: true });
    let times = 0;
    const y = recompute((x) => {
      times++;
      return times === 1 ? mul(x, 2) : mul(x, 2).dropout({ rate: 0.5 });
    }, w);
    expect(() => y.backward(device.ones([8]))).toThrow(
      'recompute: a segment drew more random numbers when backward ran it again',
    );
  });

  it('gives everything back but the gradients, also without backward and after an error', () => {
    const model = network();
    recomputeSegments(model, [8, 8, 2]);
    const x = device.tensor(images, [4, 8, 8, 2]);
    const step = (): void =>
      device.scope(() => {
        model.zeroGrad();
        model.call(x).backward(device.ones([4, 3]));
      });
    step();
    const after = device.memory.liveBuffers;
    for (let i = 0; i < 3; i++) step();
    expect(device.memory.liveBuffers).toBe(after);
    const failing = (): Tensor =>
      recompute((v) => {
        v.dropout({ rate: 0.5 });
        throw new Error('on purpose');
      }, x);
    expect(failing).toThrow('on purpose');
    expect(device.memory.liveBuffers).toBe(after);
  });
});

describe('recomputeSegments', () => {
  it('cuts stages of blocks into runs, and leaves the last', () => {
    const model = cifarResnet32(device);
    expect(recomputeSegments(model, [32, 32, 3])).toEqual([
      ...['layer1.0-1', 'layer1.2', 'layer1.3', 'layer1.4'],
      ...['layer2.0', 'layer2.1-2', 'layer2.3', 'layer2.4', 'layer3.0', 'layer3.1-2'],
    ]);
    model.dispose();
  });

  it('cuts a flat network shorter where images are large', () => {
    const model = cifarVgg(device, { classes: 4 });
    const segments = ['0-2', '3-5', '6-8', '9-11', '12-15', '16-20', '21-29'];
    expect(recomputeSegments(model, [32, 32, 3])).toEqual(segments);
    model.dispose();
  });

  it('takes blocks that stand side by side one by one', () => {
    const model = efficientNetB0(device, { input: [32, 32, 3], classes: 4 });
    const blocks = [...model.blocks.keys()];
    expect(blocks.length).toBe(16);
    expect(recomputeSegments(model, [32, 32, 3])).toEqual(['stem', ...blocks]);
    expect(model.isTraining && model.head.norm.isTraining).toBe(true);
    model.dispose();
  });

  it('finds nothing in a network of one layer, and refuses one without parameters', () => {
    const one = new Sequential(new Dense(device, { inFeatures: 2, outFeatures: 2 }));
    expect(recomputeSegments(one, [2])).toEqual([]);
    expect(() => recomputeSegments(new Flatten(), [2])).toThrow(
      'recomputeSegments: the module has no parameters, so it is on no device',
    );
  });
});

/** Bytes of a step beside parameters and their gradients: held when backward begins, and at most. */
async function activationBytes(isRecomputed: boolean): Promise<{ held: number; most: number }> {
  const counting = await createDevice({ isNull: true });
  const model = cifarResnet32(counting);
  if (isRecomputed) recomputeSegments(model, [32, 32, 3]);
  const inputs = [counting.zeros([16, 32, 32, 3]), counting.tensor(new Int32Array(16))] as const;
  let held = 0;
  const step = counting.capture((x: Tensor, wanted: Tensor) => {
    const before = counting.memory.liveBytes;
    const loss = softmaxCrossEntropy(model.call(x), wanted);
    held = counting.memory.liveBytes - before;
    loss.backward();
  });
  const before = counting.memory.liveBytes;
  step(...inputs);
  const gradients = [...model.parameters()].reduce(
    (sum, { grad }) => sum + grad!.gpuArray.byteLength,
    0,
  );
  const most = counting.memory.peakBytes - before - gradients;
  counting.destroy();
  return { held, most };
}

describe('memory of a captured step', () => {
  it('is less than half with segments', async () => {
    const [plain, recomputed] = [await activationBytes(false), await activationBytes(true)];
    expect(recomputed.held).toBeLessThan(0.3 * plain.held);
    expect(recomputed.most).toBeLessThan(0.4 * plain.most);
  });
});
