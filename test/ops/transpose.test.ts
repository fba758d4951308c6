import { describe, expect, it } from 'vitest';
import { ops } from '../../src/index.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('transpose');

describe('depthToSpace and spaceToDepth', () => {
  it.each([
    ['DCR', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
    // as torch.nn.functional.pixel_shuffle
    ['CRD', [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]],
  ] as const)('lay 12 channels out as 2×2 pixels and back, mode %s', async (mode, pixels) => {
    const device = await testDevice();
    const x = device.arange([1, 1, 1, 12]);
    const y = x.depthToSpace({ blockSize: 2, mode });
    expect(y.shape).toEqual([1, 2, 2, 3]);
    expect([...(await y.data())]).toEqual(pixels);
    const back = y.spaceToDepth({ blockSize: 2, mode });
    expect(back.shape).toEqual(x.shape);
    expect(await back.data()).toEqual(await x.data());
  });

  it('keep blocks apart, and send gradients back', async () => {
    const device = await testDevice();
    const x = device.arange([2, 1, 2, 4], { requiresGrad: true });
    const y = ops.depthToSpace(x, { blockSize: 2 });
    const wanted = [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15];
    expect([...(await y.data())]).toEqual(wanted);
    y.backward(device.tensor(wanted, [2, 2, 4, 1]));
    expect([...(await x.grad!.data())]).toEqual(wanted.map((_, i) => i));
  });

  it('refuse what cannot be dealt into blocks', async () => {
    const device = await testDevice();
    const x = device.ones([1, 3, 4, 6]);
    expect(() => x.depthToSpace({ blockSize: 2 })).toThrow(
      'depthToSpace: blocks of 2×2 must divide C=6 channels (x [1 3 4 6])',
    );
    expect(() => x.spaceToDepth({ blockSize: 2 })).toThrow(
      'spaceToDepth: blocks of 2×2 must divide H=3 and W=4 (x [1 3 4 6])',
    );
    expect(() => x.depthToSpace({ blockSize: 0 })).toThrow('blockSize must be a whole number');
    const mode = 'NCHW' as 'DCR';
    expect(() => x.depthToSpace({ blockSize: 1, mode })).toThrow("mode must be 'DCR' or 'CRD'");
    expect(() => device.ones([4]).spaceToDepth({ blockSize: 2 })).toThrow('4 dimensions');
  });
});
