import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DeviceError, ShapeError } from '../../src/errors.js';
import { firstOutside } from '../../src/gpu/call_site.js';
import { createDevice, nn, optim, type Device, type Tensor } from '../../src/index.js';

const x = new Float32Array([1, 2]);
const KEEP =
  '\nfix: keep it for as long as steps are replayed, or call dispose() of the captured function ' +
  'to have the next call capture anew';

let device: Device;
beforeAll(async () => {
  device = await createDevice({ seed: 3 });
});
afterAll(() => device.destroy());

const strays: unknown[] = [];
const onStray = (reason: unknown): void => void strays.push(reason);
process.on('unhandledRejection', onStray);
afterAll(() => void process.off('unhandledRejection', onStray));
afterEach(async () => {
  await new Promise((resolve) => setTimeout(resolve));
  expect(strays).toEqual([]);
});

function errorOf(fn: () => unknown): Error {
  try {
    fn();
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected an error, got none');
}

/** The place of a call two lines below the call of this. */
function below(lines: number): string {
  const [, file, line] = /([^()\s]*capture_errors\.test\.ts):(\d+):\d+/.exec(
    new Error().stack!.split('\n')[2],
  )!;
  return `${file.replace('file://', '')}:${Number(line) + lines}`;
}

describe('reading inside a captured function', () => {
  const refusal = (what: string, place: string): string =>
    `capture: ${what} reads a value back inside the captured function, at ${place}\n` +
    'fix: return the tensor from the function, and read it after the call';

  it('names method, tensor, op and the line of the program', () => {
    let place = '';
    const step = device.capture((a: Tensor) => {
      const loss = a.mul(device.ones([2], { requiresGrad: true })).sum();
      place = below(1);
      void loss.item();
      return loss;
    });
    const error = errorOf(() => step(x));
    expect(error).toBeInstanceOf(DeviceError);
    expect(error.message).toBe(refusal('item() of f32 [], the result of sum,', place));
  });

  it.each(['data', 'array'] as const)('%s() without a tape', (method) => {
    let place = '';
    const step = device.capture((a: Tensor) => {
      place = below(1);
      void a[method]();
    });
    expect(errorOf(() => step(x)).message).toBe(refusal(`${method}() of f32 [2]`, place));
  });

  it('is told of an async function too, before that it is async', () => {
    let place = '';
    const step = device.capture(async (a: Tensor) => {
      place = below(1);
      return (await a.sum().item()) * 2;
    });
    expect(errorOf(() => step(x)).message).toBe(refusal('item() of f32 []', place));
  });

  it('fails the call where the program catches the error itself', () => {
    const step = device.capture((a: Tensor) => {
      try {
        void a.data();
      } catch {
        // As if nothing had happened.
      }
      return a.mul(2);
    });
    expect(() => step(x)).toThrow('capture: data() of f32 [2] reads a value back');
  });

  it('holds for the loss scale', () => {
    const w = device.ones([2], { requiresGrad: true });
    const scaler = new optim.LossScaler(new optim.SGD([w]));
    const step = device.capture(() => void scaler.read());
    expect(() => step()).toThrow(
      /^capture: LossScaler\.read\(\) reads a value back inside the cap/,
    );
  });

  it('leaves nothing behind: the buffers are back, and the next capture works', async () => {
    const before = device.memory.liveBuffers;
    let reads = true;
    const step = device.capture((a: Tensor) => {
      const y = a.mul(3);
      if (reads) void y.data();
      return y;
    });
    expect(() => step(x)).toThrow(DeviceError);
    expect(device.memory.liveBuffers).toBe(before);
    reads = false;
    expect(Array.from(await step(x).data())).toEqual([3, 6]);
    expect(Array.from(await step(new Float32Array([5, 6])).data())).toEqual([15, 18]);
    step.dispose();
  });

  it('refuses an async function that reads nothing', () => {
    const step = device.capture((a: Tensor) => Promise.resolve(a));
    expect(errorOf(() => step(x)).message).toBe(
      'capture: expected a synchronous function, got an async one\n' +
        'fix: return tensors from the function, and await their values after the call',
    );
  });
});

describe('inputs of a captured function', () => {
  it('that are no values are refused, by their place', async () => {
    const step = device.capture((a: Tensor, b: Tensor) => a.add(b));
    const call = step as unknown as (...inputs: unknown[]) => unknown;
    const fix = '\nfix: make a tensor of it: device.tensor(values)';
    for (const [value, got] of [
      ...([
        [5, 'number'],
        [null, 'null'],
        [undefined, 'undefined'],
      ] as const),
      [[[1, 2]], 'nested arrays'],
    ] as const) {
      const error = errorOf(() => call(x, value));
      expect(error).toBeInstanceOf(ShapeError);
      expect(error.message).toBe(
        `capture: input 2 of 2 must be a tensor or a typed array, got ${got}${fix}`,
      );
    }
    const gone = device.ones([2]);
    gone.dispose();
    expect(errorOf(() => step(gone, x)).message).toBe(
      'capture: input 1 of 2, f32 [2], was released by dispose()',
    );
    using other = await createDevice();
    expect(errorOf(() => step(x, other.ones([2]))).message).toBe(
      'capture: input 2 of 2, f32 [2], lives on another device than the captured step\n' +
        'fix: pass what await input.data() gives',
    );
  });

  it('of another shape or type that the function does not take: which, expected and got', () => {
    const step = device.capture((a: Tensor, b: Tensor) => a.reshape([2, 2]).mul(b));
    step(new Float32Array(4), x);
    const before = device.memory.liveBuffers;
    const fix =
      '\nfix: pass inputs as captured first, or write the function for both: others are captured anew';
    const shape = errorOf(() => step(new Float32Array(6), x));
    expect(shape).toBeInstanceOf(ShapeError);
    expect(shape.message).toMatch(
      'capture: the function does not take these inputs; ' +
        'input 1 of 2: expected f32 [4] as captured first, got f32 [6]; reshape: ',
    );
    expect(shape.message.endsWith(fix)).toBe(true);
    const dtype = errorOf(() => step(new Float32Array(4), new Int32Array(2)));
    expect(dtype.message).toMatch(
      'input 2 of 2: expected f32 [2] as captured first, got i32 [2]; ',
    );
    expect(device.memory.liveBuffers).toBe(before);
    step.dispose();
  });

  it('an error of the first call is that of the function alone', () => {
    const step = device.capture((a: Tensor) => a.reshape([7]));
    expect(errorOf(() => step(x)).message).toMatch(/^reshape: /);
  });
});

describe('a captured step whose tensors are gone', () => {
  it.each([false, true])('names the parameter (optimizer: %s)', (hasOptimizer) => {
    const model = new nn.Sequential(new nn.Dense(device, { inFeatures: 2, outFeatures: 3 }));
    const optimizer = hasOptimizer ? new optim.SGD(model.namedParameters()) : null;
    const step = device.capture((a: Tensor) => {
      optimizer?.zeroGrad();
      const loss = model.call(a.reshape([1, 2])).sum();
      if (optimizer) loss.backward();
      optimizer?.step();
      return loss;
    });
    step(x);
    step(x);
    [...model.parameters()][0].dispose();
    const error = errorOf(() => step(x));
    expect(error).toBeInstanceOf(DeviceError);
    expect(error.message).toBe(
      'capture: 0.weight, f32 [2, 3] (w of dense in module 0), which the captured step uses, ' +
        `was released by dispose() after the capture${KEEP}`,
    );
    step.dispose();
  });

  it('names a tensor without a name by its part in the op', () => {
    const mask = device.tensor([1, 0]);
    const step = device.capture((a: Tensor) => a.mul(mask));
    step(x);
    mask.dispose();
    device.ones([2]); // Takes the buffer.
    expect(errorOf(() => step(x)).message).toBe(
      `capture: f32 [2] (b of mul), which the captured step uses, was released by dispose() after the capture${KEEP}`,
    );
  });

  it('names what the optimizer gave back, and parameters that another one moved', () => {
    const w = device.ones([2], { requiresGrad: true });
    const optimizer = new optim.SGD([['w', w]], { momentum: 0.9 });
    const step = device.capture((a: Tensor) => {
      optimizer.zeroGrad();
      w.mul(a).sum().backward();
      optimizer.step();
    });
    step(x);
    optimizer.dispose();
    expect(errorOf(() => step(x)).message).toBe(
      `capture: u32 [2] (owners of sgd step), which the captured step uses, was given back after the capture${KEEP}`,
    );
    new optim.SGD([w]);
    expect(errorOf(() => step(x)).message).toBe(
      'capture: w, f32 [2] (a of mul), which the captured step uses, moved to another buffer after ' +
        'the capture\nfix: make the optimizer before the first captured step: it moves its parameters together',
    );
  });

  it('minds nothing that the step does not need', async () => {
    const w = device.ones([2], { requiresGrad: true });
    const step = device.capture((a: Tensor) => {
      w.zeroGrad();
      w.mul(a).sum().backward();
      const norm = w.grad!.mul(w.detach()).sum();
      return norm.add(device.tensor([1]));
    });
    const plain = device.tensor([5, 6]);
    step(plain);
    plain.dispose();
    w.zeroGrad();
    w.mul(3).sum().backward();
    expect(await step(x).item()).toBe(4);
    w.zeroGrad();
    expect(await step(new Float32Array([7, 8])).item()).toBe(16);
    step.dispose();
  });

  it('is captured anew after dispose()', async () => {
    let mask = device.tensor([1, 0]);
    const step = device.capture((a: Tensor) => a.mul(mask));
    step(x);
    mask.dispose();
    mask = device.tensor([0, 1]);
    expect(() => step(x)).toThrow('was released by dispose()');
    step.dispose();
    expect(Array.from(await step(x).data())).toEqual([0, 2]);
  });

  it('cannot be replayed on a device that was destroyed', async () => {
    const short = await createDevice();
    const step = short.capture((a: Tensor) => a.mul(2));
    step(x);
    short.destroy();
    expect(() => step(x)).toThrow('device: used after destroy()');
  });
});

describe('the place of a call', () => {
  const own = '/home/me/node_modules/tilegrad/dist/';
  it.each([
    [
      'Error\n    at refuse (file:///home/me/node_modules/tilegrad/dist/gpu/a.js:1:2)\n' +
        '    at Array.map (<anonymous>)\n    at file:///home/me/my%20net/train.mjs:12:30',
      '/home/me/my net/train.mjs:12',
    ],
    ['Error\n    at async step (/srv/train.cjs:7:1)', '/srv/train.cjs:7'],
    ['Error\n    at node:internal/main:5:1', null],
    ['Error\n    at Object.f (C:\\nets\\train.ts:3:4)', 'C:/nets/train.ts:3'],
    ['f@https://example.org/page.js:9:8\n', 'https://example.org/page.js:9'],
    ['Error\n    at f (/home/me/node_modules/tilegrad/dist/index.js:1:2)', null],
    ['', null],
  ])('%j', (stack, place) => {
    expect(firstOutside(stack, own)).toBe(place);
  });
});
