import { beforeAll, describe, expect, it } from 'vitest';
import { dropout as record } from '../../src/autograd/ops/dropout.js';
import { createDevice, type Device } from '../../src/device.js';
import { dropoutVariants } from '../../src/kernels/dropout.js';
import { ops } from '../../src/ops/index.js';
import { dropoutReference } from '../../src/reference/dropout.js';
import { dropoutMask } from '../../src/reference/philox.js';
import { cases, errorCases, exactCases } from '../cases/dropout.js';
import type { OpCase } from '../cases/types.js';
import { testDevice } from '../helpers/device.js';
import { fillInput, seedOf } from '../helpers/fill.js';

/*
 * The generic ladder compares with a mask that is an input. Here the mask is what the reference
 * makes of the same random numbers.
 */
let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

/** Runs a case forward and backward, next to the reference with the same draw. */
async function run({ inputs, options, title }: OpCase, variant?: string) {
  const { shape } = inputs.x;
  const { rate } = options as { rate: number };
  const draw = device.runtime.random.position;
  const x = fillInput(inputs.x, seedOf(title));
  const dy = fillInput(inputs.x, seedOf(`dy/${title}`));
  const mask = dropoutMask(x.length, rate, { seed: 7, stream: 0, draw });
  const refs = { x: { shape, data: x }, mask: { shape, data: mask } };
  const reference = options as { rate: number; training?: boolean };
  const wanted = dropoutReference.forward(refs, reference).y.data;
  const wantedDx = dropoutReference.backward(refs, reference, { shape, data: dy }).x.data;
  return device.scope(async () => {
    const tensor = device.tensor(Float32Array.from(x), shape, { requiresGrad: true });
    const y = ops.dropout(tensor, { ...reference, ...(variant ? { variant } : {}) } as never);
    const data = await y.data();
    y.backward(device.tensor(Float32Array.from(dy), shape));
    return { y: data, dx: await tensor.grad!.data(), wanted, wantedDx, mask };
  });
}

function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>, ulps: number): void {
  expect(got.length).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    const limit = ulps * 2 ** -24 * Math.abs(wanted[i]);
    expect(Math.abs(got[i] - wanted[i]), `element ${i}`).toBeLessThanOrEqual(limit);
  }
}

describe('dropout', () => {
  for (const variant of [undefined, ...dropoutVariants]) {
    describe(`variant ${variant ?? 'chosen'}`, () => {
      it.each(exactCases)('$title equals the reference bit for bit', async (opCase) => {
        const got = await run(opCase, variant);
        expect(Array.from(got.y, (v) => v + 0)).toEqual(Array.from(got.wanted, (v) => v + 0));
        expect(Array.from(got.dx, (v) => v + 0)).toEqual(Array.from(got.wantedDx, (v) => v + 0));
      });

      it.each(cases)('$title', async (opCase) => {
        const got = await run(opCase, variant);
        // The rounded scale and the rounded product: two units in the last place and a bit.
        expectClose(got.y, got.wanted, 4);
        expectClose(got.dx, got.wantedDx, 4);
      });
    });
  }

  it('drops the asked share', async () => {
    await device.scope(async () => {
      const y = await ops.dropout(device.ones([100_000]), { rate: 0.3 }).data();
      const dropped = y.filter((value) => value === 0).length / y.length;
      // Five standard deviations of a share of 100,000 draws.
      expect(Math.abs(dropped - 0.3)).toBeLessThan(5 * Math.sqrt((0.3 * 0.7) / 100_000));
    });
  });

  it('gives the numbers of its example', async () => {
    using other = await createDevice({ seed: 7 });
    const y = await ops.dropout(other.ones([8]), { rate: 0.5 }).data();
    expect(Array.from(y)).toEqual([2, 2, 0, 0, 0, 2, 0, 2]);
  });

  it('draws nothing where it does nothing', () => {
    const { random } = device.runtime;
    const before = random.position;
    device.scope(() => {
      const x = device.ones([4]);
      x.dropout({ rate: 0.5, training: false });
      x.dropout({ rate: 0 });
      expect(random.position).toBe(before);
      x.dropout({ rate: 0.5 });
      expect(random.position).toBe(before + 1);
    });
  });

  it.each(errorCases)('$title is refused', ({ inputs, options, message }) => {
    const shape = () =>
      record.shape({ x: { shape: inputs.x.shape, dtype: 'f32' } }, options as { rate: number });
    expect(shape).toThrow(message);
  });
});
