import { describe, expect, it } from 'vitest';
import { compareRecords } from '../../src/autograd/ops/compare.js';
import { ops } from '../../src/index.js';
import { applyOp } from '../../src/tensor.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('compare');

describe('comparisons', () => {
  it.each(['naive', 'vec4'] as const)(
    'hold for infinities and signed zeros, and of NaN only notEqual does, variant %s',
    async (variant) => {
      const device = await testDevice();
      const values = [NaN, 1, NaN, -0, -Infinity, Infinity, 2 ** -149, -(2 ** -149)];
      const others = [NaN, NaN, 1, 0, Infinity, Infinity, 0, 0];
      const [a, b] = [device.tensor(values), device.tensor(others)];
      const run = async (name: keyof typeof compareRecords) => [
        ...(await applyOp(compareRecords[name], { a, b }, { variant }).data()),
      ];
      expect(await run('less')).toEqual([0, 0, 0, 0, 1, 0, 0, 1]);
      expect(await run('lessEqual')).toEqual([0, 0, 0, 1, 1, 1, 0, 1]);
      expect(await run('greater')).toEqual([0, 0, 0, 0, 0, 0, 1, 0]);
      expect(await run('greaterEqual')).toEqual([0, 0, 0, 1, 0, 1, 1, 0]);
      expect(await run('equal')).toEqual([0, 0, 0, 1, 0, 1, 0, 0]);
      expect(await run('notEqual')).toEqual([1, 1, 1, 0, 1, 0, 1, 1]);
      const itself = await ops.notEqual(a, a).data();
      expect([...itself]).toEqual([1, 0, 1, 0, 0, 0, 0, 0]);
    },
  );

  it('compute the numbers of their documentation', async () => {
    const device = await testDevice();
    const x = device.tensor([1, 2, 3]);
    expect(await x.less(2).array()).toEqual([1, 0, 0]);
    expect(await x.lessEqual(2).array()).toEqual([1, 1, 0]);
    expect(await x.greater(2).array()).toEqual([0, 0, 1]);
    expect(await x.greaterEqual(2).array()).toEqual([0, 1, 1]);
    expect(await x.notEqual(2).array()).toEqual([1, 0, 1]);
    const answers = device.tensor(Int32Array.of(3, 1, 4));
    expect(
      await answers
        .equal(device.tensor(Int32Array.of(3, 2, 4)))
        .mean()
        .item(),
    ).toBeCloseTo(2 / 3);
    expect(await answers.equal(1).array()).toEqual([0, 1, 0]);
    expect(() => answers.equal(1.5)).toThrow('equal: i32 holds whole numbers');
  });
});
