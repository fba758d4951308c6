import { beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../src/device.js';
import * as optim from '../../src/optim/index.js';
import {
  adamStep,
  adamWStep,
  optimizerState,
  rmspropStep,
  sgdStep,
  type OptimizerState,
} from '../../src/reference/optimizers.js';
import type { Tensor } from '../../src/tensor.js';
import { testDevice } from '../helpers/device.js';
import { fillInput } from '../helpers/fill.js';

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

type Rule = (
  parameter: Float64Array,
  gradient: Float64Array,
  state: OptimizerState,
  options: never,
) => void;
type Make = (parameters: optim.Parameters, options: object) => optim.Optimizer;

const named = ([i, tensor]: [number, Tensor]): [string, Tensor] => ['abcdefg'[i], tensor];

const rules: [string, Make, Rule, object[]][] = [
  [
    'SGD',
    (p, o) => new optim.SGD(p, o),
    sgdStep,
    [
      { lr: 0.1 },
      { lr: 0.1, weightDecay: 0.05 },
      { lr: 0.05, momentum: 0.9, weightDecay: 0.01 },
      { lr: 0.05, momentum: 0.9, nesterov: true },
    ],
  ],
  [
    'Adam',
    (p, o) => new optim.Adam(p, o),
    adamStep,
    [
      { lr: 0.01 },
      { lr: 0.01, beta1: 0.8, beta2: 0.95, epsilon: 1e-4, weightDecay: 0.1 },
      { lr: 0.01, amsgrad: true, beta2: 0.9 },
    ],
  ],
  [
    'AdamW',
    (p, o) => new optim.AdamW(p, o),
    adamWStep,
    [{ lr: 0.01 }, { lr: 0.02, weightDecay: 0.3, amsgrad: true }],
  ],
  [
    'RMSprop',
    (p, o) => new optim.RMSprop(p, o),
    rmspropStep,
    [{ lr: 0.01 }, { lr: 0.01, alpha: 0.9, epsilon: 1e-3, momentum: 0.8, weightDecay: 0.02 }],
  ],
];

/** Below, at and above one vector, one block of 256 and one workgroup's alignment. */
const shapes = [[1], [7], [3, 5, 2], [255], [256], [257], [16, 33]];
const sizes = shapes.map((shape) => shape.reduce((a, b) => a * b, 1));
const STEPS = 5;

const values = (size: number, seed: number): Float64Array =>
  fillInput({ shape: [size] }, seed).map((v) => Math.fround(v));
const gradientOf = (i: number, step: number): Float64Array =>
  values(sizes[i], 1000 + 10 * step + i);

function makeParameters(isFlat = false): Tensor[] {
  return shapes.map((shape, i) =>
    device.tensor(Float32Array.from(values(sizes[i], i)), isFlat ? [sizes[i]] : shape, {
      requiresGrad: true,
    }),
  );
}

function feed(parameter: Tensor, i: number, step: number): void {
  parameter.backward(device.tensor(Float32Array.from(gradientOf(i, step)), shapes[i]));
}

async function bitsOf(tensors: readonly Tensor[]): Promise<number[][]> {
  const all: number[][] = [];
  for (const tensor of tensors) all.push(Array.from(await tensor.data()));
  return all;
}

/** Steps move a parameter by about lr; each may err by a few roundings of the parameter itself. */
function expectNear(got: ArrayLike<number>, wanted: Float64Array, lr: number): void {
  for (let i = 0; i < wanted.length; i++) {
    const limit = STEPS * (2 ** -23 * Math.max(1, Math.abs(wanted[i])) + 16 * 2 ** -24 * lr * 4);
    expect(Math.abs(got[i] - wanted[i]), `element ${i}`).toBeLessThanOrEqual(limit);
  }
}

describe.each(rules)('%s', (_name, make, rule, optionSets) => {
  it.each(optionSets)('%o follows the float64 reference', async (options) => {
    const parameters = makeParameters();
    const optimizer = make(parameters, options);
    const wanted = sizes.map((size, i) => values(size, i));
    const states = sizes.map((size) => optimizerState(size));
    for (let step = 0; step < STEPS; step++) {
      optimizer.zeroGrad();
      parameters.forEach((p, i) => feed(p, i, step));
      optimizer.step();
      wanted.forEach((w, i) => rule(w, gradientOf(i, step), states[i], options as never));
    }
    const got = await bitsOf(parameters);
    got.forEach((data, i) => expectNear(data, wanted[i], optimizer.lr));
    optimizer.dispose();
  });

  it('leaves parameters without a gradient, their state and step count alone', async () => {
    const parameters = makeParameters();
    const options = optionSets.at(-1)!;
    const optimizer = make(parameters, options);
    const wanted = sizes.map((size, i) => values(size, i));
    const states = sizes.map((size) => optimizerState(size));
    for (let step = 0; step < STEPS; step++) {
      optimizer.zeroGrad();
      for (const [i, p] of parameters.entries()) {
        // Parameter 0 never has a gradient, the others each in steps of their own.
        if (i === 0 || (step + i) % 3 === 0) continue;
        feed(p, i, step);
        rule(wanted[i], gradientOf(i, step), states[i], options as never);
      }
      optimizer.step();
    }
    const got = await bitsOf(parameters);
    got.forEach((data, i) => expectNear(data, wanted[i], optimizer.lr));
    expect(got[0]).toEqual(Array.from(values(sizes[0], 0)));
    expect(optimizer.stateDict().scalars['0.step']).toBe(0);
    expect(optimizer.stateDict().scalars['1.step']).toBe(states[1].step);
    optimizer.dispose();
  });

  it('trains groups with their own learning rate and weight decay', async () => {
    const parameters = makeParameters();
    const [base, scale, decay] = [0.02, 0.25, 0.5];
    const optimizer = make(
      [
        { parameters: [...parameters.slice(0, 3).entries()].map(named), lrScale: scale },
        { parameters: parameters.slice(3), weightDecay: decay },
      ],
      { lr: 1, weightDecay: 0.1 },
    );
    optimizer.lr = base;
    const wanted = sizes.map((size, i) => values(size, i));
    const states = sizes.map((size) => optimizerState(size));
    for (let step = 0; step < STEPS; step++) {
      optimizer.zeroGrad();
      parameters.forEach((p, i) => feed(p, i, step));
      optimizer.step();
      wanted.forEach((w, i) => {
        const own =
          i < 3 ? { lr: base * scale, weightDecay: 0.1 } : { lr: base, weightDecay: decay };
        rule(w, gradientOf(i, step), states[i], own as never);
      });
    }
    const got = await bitsOf(parameters);
    got.forEach((data, i) => expectNear(data, wanted[i], base));
    expect(optimizer.stateDict().scalars).toMatchObject({ lr: base, 'a.step': 5, '6.step': 5 });
    optimizer.dispose();
  });

  it('a captured step gives the same bits, with a learning rate that changes', async () => {
    const run = async (isCaptured: boolean): Promise<number[][]> => {
      // Captured host values arrive as vectors.
      const parameters = makeParameters(true);
      const optimizer = make(parameters, optionSets[0]);
      const step = (...gradients: Tensor[]): void => {
        optimizer.zeroGrad();
        parameters.forEach((p, i) => p.backward(gradients[i]));
        optimizer.step();
      };
      const captured = device.capture(step);
      for (let t = 0; t < STEPS; t++) {
        optimizer.lr = 0.1 / (t + 1);
        const gradients = sizes.map((_, i) => Float32Array.from(gradientOf(i, t)));
        if (isCaptured) captured(...gradients);
        else step(...gradients.map((data) => device.tensor(data)));
      }
      const bits = await bitsOf([...parameters, ...optimizer.stateDict().tensors.values()]);
      captured.dispose();
      optimizer.dispose();
      return bits;
    };
    expect(await run(true)).toEqual(await run(false));
  });

  it('goes on from a saved state as if it had not stopped', async () => {
    const [make1, make2] = [makeParameters(), makeParameters()];
    const options = optionSets.at(-1)!;
    const whole = make(make1, options);
    const first = make(make2, options);
    const run = (optimizer: optim.Optimizer, ps: Tensor[], from: number, to: number): void => {
      for (let step = from; step < to; step++) {
        optimizer.zeroGrad();
        ps.forEach((p, i) => feed(p, i, step));
        optimizer.step();
      }
    };
    run(whole, make1, 0, 5);
    run(first, make2, 0, 2);
    const { tensors, scalars } = first.stateDict();
    const saved = new Map<string, optim.SavedState>();
    for (const [name, t] of tensors) saved.set(name, { shape: t.shape, data: await t.data() });
    const second = make(make2, options);
    second.loadStateDict({ tensors: saved, scalars });
    first.dispose();
    run(second, make2, 2, 5);
    expect(await bitsOf(make2)).toEqual(await bitsOf(make1));
    whole.dispose();
    second.dispose();
  });

  it('stops updating while the guard is raised', async () => {
    const parameters = makeParameters();
    const optimizer = make(parameters, optionSets[0]);
    const { runtime } = device;
    const array = runtime.allocPersistent([4], 'u32');
    runtime.write(array, new Uint32Array([9, 9, 0, 9]));
    optimizer.guard = { array, word: 2 };
    parameters.forEach((p, i) => feed(p, i, 0));
    optimizer.step();
    const before = await bitsOf(parameters);
    expect(before[1]).not.toEqual(Array.from(values(7, 1)));
    runtime.write(array, new Uint32Array([0, 0, 1, 0]));
    optimizer.step();
    expect(await bitsOf(parameters)).toEqual(before);
    array.release();
    optimizer.dispose();
  });
});

describe('optimizers', () => {
  it('give the numbers of their examples', async () => {
    const run = async (make: Make, options: object, gradient: number[]): Promise<number[]> => {
      const w = device.tensor([1, 2], [2], { requiresGrad: true });
      const optimizer = make([w], options);
      w.backward(device.tensor(gradient));
      optimizer.step();
      const data = Array.from(await w.data());
      optimizer.dispose();
      return data;
    };
    expect(await run(rules[0][1], { lr: 0.5 }, [1, -1])).toEqual([0.5, 2.5]);
    const adam = await run(rules[1][1], { lr: 0.5 }, [4, -4]);
    expect(adam[0]).toBeCloseTo(0.5, 6);
    expect(adam[1]).toBeCloseTo(2.5, 6);
    const rmsprop = await run(rules[3][1], { lr: 0.5, alpha: 0.75 }, [4, -4]);
    expect(rmsprop[0]).toBeCloseTo(0, 6);
    expect(rmsprop[1]).toBeCloseTo(3, 6);
  });

  it('are one dispatch a step, however many parameters', async () => {
    const parameters = makeParameters();
    const optimizer = new optim.Adam(parameters);
    parameters.forEach((p, i) => feed(p, i, 0));
    await device.sync();
    if (!device.runtime.hasTimestamps) {
      console.warn('one dispatch a step: not checked, the adapter has no timestamp queries');
      return;
    }
    const timings = await device.profile(() => optimizer.step());
    expect(timings.map(({ op }) => op)).toEqual(['adam step']);
    optimizer.dispose();
  });

  it('spread over several buffers where one would be too large to bind', async () => {
    const { limits } = device.info;
    const limit = limits.maxStorageBufferBindingSize;
    const run = async (bytes: number): Promise<number[][]> => {
      const parameters = makeParameters();
      limits.maxStorageBufferBindingSize = bytes;
      const optimizer = new optim.Adam(parameters);
      limits.maxStorageBufferBindingSize = limit;
      const storages = new Set(parameters.map((p) => p.gpuArray.storage));
      expect(storages.size).toBe(bytes === limit ? 1 : 4);
      parameters.forEach((p, i) => feed(p, i, 0));
      optimizer.step();
      const bits = await bitsOf(parameters);
      optimizer.dispose();
      return bits;
    };
    // 4096 bytes hold an unused block and three: [1][7][3 5 2] | [255][256] | [257] | [16 33].
    expect(await run(4096)).toEqual(await run(limit));
  });

  it('keep values, gradients and sums right while parameters live in one buffer', async () => {
    const [a, b] = [
      device.ones([3], { requiresGrad: true }),
      device.ones([5], { requiresGrad: true }),
    ];
    const optimizer = new optim.SGD([a, b], { lr: 1 });
    expect(Array.from(await b.data())).toEqual([1, 1, 1, 1, 1]);
    a.assign([1, 2, 3]);
    b.assign(device.full([5], 4));
    expect([Array.from(await a.data()), Array.from(await b.data())]).toEqual([
      [1, 2, 3],
      [4, 4, 4, 4, 4],
    ]);
    b.backward(device.full([5], 2));
    const { grad } = b;
    optimizer.step();
    expect(b.grad).toBe(grad);
    expect(Array.from(await grad!.data())).toEqual([2, 2, 2, 2, 2]);
    b.backward(device.full([5], 1));
    expect(Array.from(await b.grad!.data())).toEqual([3, 3, 3, 3, 3]);
    optimizer.step();
    expect(Array.from(await b.data())).toEqual([-1, -1, -1, -1, -1]);
    expect(Array.from(await a.data())).toEqual([1, 2, 3]);
    optimizer.zeroGrad();
    expect(b.grad).toBeNull();
    optimizer.dispose();
    expect(Array.from(await a.data())).toEqual([1, 2, 3]);
  });

  it('copies between two parameters of one buffer', async () => {
    const [a, b] = [
      device.ones([3], { requiresGrad: true }),
      device.zeros([3], { requiresGrad: true }),
    ];
    const optimizer = new optim.SGD([a, b]);
    b.assign(a);
    expect(Array.from(await b.data())).toEqual([1, 1, 1]);
    optimizer.dispose();
  });

  it('take names from pairs', () => {
    const w = device.ones([2], { requiresGrad: true });
    const optimizer = new optim.Adam([['layer.weight', w] as const]);
    const { tensors, scalars } = optimizer.stateDict();
    expect([...tensors.keys()]).toEqual(['layer.weight.moment', 'layer.weight.square']);
    expect(scalars).toEqual({ lr: 1e-3, 'layer.weight.step': 0 });
    optimizer.dispose();
  });

  it('refuse what cannot be trained, by name', () => {
    const w = device.ones([2], { requiresGrad: true });
    expect(() => new optim.SGD([])).toThrow('optimizer: got no parameters');
    expect(() => new optim.SGD([w, w])).toThrow('optimizer: parameter 1 was given twice');
    expect(() => new optim.SGD([device.ones([2, 3])])).toThrow(
      'optimizer: parameter 0 [2, 3] has no requiresGrad',
    );
    expect(() => new optim.SGD([w], { lr: -1 })).toThrow(
      'optimizer: lr must be at least 0, got -1',
    );
    expect(() => new optim.SGD([w], { lr: '0.1' as never })).toThrow(
      'optimizer: lr must be a number, got "0.1" (string)',
    );
    const range = 'must be 0, or 1.18e-38 to 3.40e+38 in size (f32), got';
    for (const lr of [1e39, 1e-300, Infinity]) {
      expect(() => new optim.SGD([w], { lr })).toThrow(`optimizer: lr ${range} ${lr}`);
    }
    expect(() => new optim.Adam([w], { epsilon: 1e-300 })).toThrow(`epsilon ${range} 1e-300`);
    expect(() => new optim.SGD([w], { momentum: 1e-60 })).toThrow(`momentum ${range} 1e-60`);
    expect(() => new optim.SGD([w], { weightDecay: 1e39 })).toThrow(`weightDecay ${range} 1e+39`);
    expect(() => new optim.SGD([w], { nesterov: true })).toThrow(
      'optimizer: nesterov needs a momentum',
    );
    expect(() => new optim.Adam([w], { beta1: 1 })).toThrow('optimizer: beta1 must be in [0,');
    expect(() => new optim.RMSprop([w], { alpha: NaN })).toThrow('optimizer: alpha must be in [0,');
    expect(() => optim.createOptimizer('adagrad' as never, [w])).toThrow(
      'optimizer: no optimizer named "adagrad"; there are sgd, adam, adamw, rmsprop',
    );
  });

  it('take a rate that a schedule has lowered to nothing, and none beyond f32', async () => {
    const w = device.ones([1], { requiresGrad: true });
    const optimizer = new optim.SGD([w], { lr: 0.5 });
    optimizer.lr = 1e-300;
    w.backward(device.ones([1]));
    optimizer.step();
    expect(await w.data()).toEqual(Float32Array.of(1));
    expect(() => (optimizer.lr = 1e39)).toThrow('optimizer: lr must be 0, or 1.18e-38');
    expect(optimizer.lr).toBe(1e-300);
    optimizer.dispose();
  });

  it('refuse a state of other parameters and change nothing', () => {
    const w = device.ones([2], { requiresGrad: true });
    const optimizer = new optim.Adam([w], { lr: 0.5 });
    const state = {
      tensors: new Map([['0.moment', { shape: [3], data: new Float32Array(3) }]]),
      scalars: { lr: 1 },
    };
    expect(() => optimizer.loadStateDict(state)).toThrow(
      'optimizer: loadStateDict: 0.moment has shape [3], expected [2]; 0.square is missing; number 0.step is missing',
    );
    expect(optimizer.lr).toBe(0.5);
    optimizer.dispose();
  });
});
