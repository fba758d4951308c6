import { describe, expect, it } from 'vitest';
import type { GpuArray } from '../../src/gpu/array.js';
import type { Runtime } from '../../src/gpu/runtime.js';
import { nn, ops, optim, type Device, type Tensor } from '../../src/index.js';
import { binaryForward } from '../../src/kernels/binary.js';
import { broadcastGeometry } from '../../src/kernels/lib/broadcast.js';
import { testDevice } from '../helpers/device.js';

/** a + b by one dispatch. */
function added(runtime: Runtime, a: GpuArray, b: GpuArray): GpuArray {
  const geometry = broadcastGeometry([64], [[64], [64]]);
  return binaryForward(runtime, 'add', [a, b], [64], geometry);
}

const copiesOf = (commands: readonly { kind: string }[]) =>
  commands.filter(({ kind }) => kind === 'copy').length;

/** Where `step` puts sums: the second quarter of a buffer. */
function places(runtime: Runtime) {
  const values = (factor: number) => Float32Array.from({ length: 64 }, (_, i) => factor * i);
  const [a, b] = [1, 100].map((factor) => {
    const array = runtime.allocPersistent([64]);
    runtime.write(array, values(factor));
    return array;
  });
  const whole = runtime.allocPersistent([256]);
  runtime.write(whole, new Float32Array(256).fill(7));
  return { a, b, whole, part: whole.part(64, [64]) };
}

type Places = ReturnType<typeof places>;
type Step = (runtime: Runtime, arrays: Places, keep: (array: GpuArray) => void) => void;

/** Copies before and after, and what two runs of the step leave behind, plain and captured. */
async function outcome(step: Step) {
  const { runtime } = await testDevice();
  const run = async (isCaptured: boolean) => {
    const arrays = places(runtime);
    const kept: GpuArray[] = [];
    const once = () => step(runtime, arrays, (array) => kept.push(array));
    let copies: number[] = [];
    const change = () => runtime.write(arrays.a, new Float32Array(64).fill(3));
    if (isCaptured) {
      const { captured, recorded } = runtime.captureCommands(once);
      copies = [copiesOf(recorded), copiesOf(captured.commands)];
      change();
      runtime.replay(captured);
    } else {
      once();
      change();
      once();
    }
    const last = kept.at(-1);
    const results = [await runtime.read(arrays.whole), last ? await runtime.read(last) : null];
    return { copies, results };
  };
  const plain = await run(false);
  const captured = await run(true);
  expect(captured.results).toEqual(plain.results);
  return captured.copies;
}

describe('copies of a captured step', () => {
  it('go where the kernel can write to the place itself', async () => {
    const copies = await outcome((runtime, { a, b, part }) => {
      const sum = added(runtime, a, b);
      runtime.copy(sum, part);
      sum.release();
    });
    expect(copies).toEqual([1, 0]);
  });

  it('stay where something else comes of the array', async () => {
    const copies = await outcome((runtime, { a, b, part }, keep) => {
      const sum = added(runtime, a, b);
      runtime.copy(sum, part);
      keep(added(runtime, sum, sum));
      sum.release();
    });
    expect(copies).toEqual([1, 1]);
  });

  it('stay where the array is still held', async () => {
    const copies = await outcome((runtime, { a, b, part }, keep) => {
      const sum = added(runtime, a, b);
      runtime.copy(sum, part);
      keep(sum);
    });
    expect(copies).toEqual([1, 1]);
  });

  it('stay where the place is read in between, or by the kernel itself', async () => {
    const between = await outcome((runtime, { a, b, part }, keep) => {
      const sum = added(runtime, a, b);
      keep(added(runtime, part, b));
      runtime.copy(sum, part);
      sum.release();
    });
    expect(between).toEqual([1, 1]);
    const itself = await outcome((runtime, { a, part }) => {
      const sum = added(runtime, a, part);
      runtime.copy(sum, part);
      sum.release();
    });
    expect(itself).toEqual([1, 1]);
  });

  it('stay where a whole buffer is the place, which no part of it may be read beside', async () => {
    const copies = await outcome((runtime, { a, b, whole }) => {
      const sum = added(runtime, a, b);
      runtime.copy(sum, whole.view([256]), { sizeBytes: 256 });
      sum.release();
    });
    expect(copies).toEqual([1, 1]);
  });

  it('are those of gradients, which are written where the optimizer reads them', async () => {
    const device = await testDevice();
    const { step } = trainer(device);
    const { captured, recorded } = device.runtime.captureCommands(() => device.scope(step));
    expect(copiesOf(recorded)).toBe(6);
    expect(copiesOf(captured.commands)).toBe(0);
  });

  it.each([true, false])('gradients sum up alike, zeroGrad() %s', async (zeroes) => {
    const device = await testDevice();
    const run = async (isCaptured: boolean) => {
      const { step, parameters } = trainer(device, zeroes);
      // What is captured is a step that finds gradients to add to.
      step();
      const call = isCaptured ? device.capture(step) : step;
      for (let i = 0; i < 4; i++) call();
      return Promise.all(parameters.map((parameter) => parameter.data()));
    };
    expect(await run(true)).toEqual(await run(false));
  });
});

function trainer(device: Device, zeroes = true): { step: () => Tensor; parameters: Tensor[] } {
  const dense = (inFeatures: number, outFeatures: number) => {
    const layer = new nn.Dense(device, { inFeatures, outFeatures, activation: 'tanh' });
    const values = Float32Array.from(
      { length: inFeatures * outFeatures },
      (_, i) => Math.sin(i) / 4,
    );
    layer.weight.assign(values);
    return layer;
  };
  const model = new nn.Sequential(dense(8, 12), dense(12, 16), dense(16, 4));
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const x = device.tensor(
    Float32Array.from({ length: 40 }, (_, i) => Math.cos(i)),
    [5, 8],
  );
  const labels = device.tensor(Int32Array.from([0, 1, 2, 3, 0]));
  const step = () => {
    const loss = ops.softmaxCrossEntropy(model.call(x), labels);
    if (zeroes) optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  return { step, parameters: [...model.parameters()] };
}
