import { describe, expect, it } from 'vitest';
import { schedule } from '../../src/optim/index.js';

const at = (rule: (count: number) => number, ...counts: number[]): number[] => counts.map(rule);

function expectClose(got: number[], wanted: number[]): void {
  expect(got.length).toBe(wanted.length);
  got.forEach((value, i) => expect(value).toBeCloseTo(wanted[i], 12));
}

describe('schedules', () => {
  it('constant', () => expect(at(schedule.constant(0.3), 0, 99)).toEqual([0.3, 0.3]));

  it('step', () =>
    expectClose(at(schedule.step(1, { every: 3, factor: 0.5 }), 0, 2, 3, 6), [1, 1, 0.5, 0.25]));

  it('exponential', () =>
    expectClose(at(schedule.exponential(2, { rate: 0.5, every: 2 }), 0, 1, 2), [
      2,
      2 * Math.SQRT1_2,
      1,
    ]));

  it('inverseTime is Keras’ decay', () =>
    expectClose(at(schedule.inverseTime(0.01, { decay: 0.5 }), 0, 1, 2, 8), [
      0.01,
      0.01 / 1.5,
      0.005,
      0.002,
    ]));

  it('cosine', () =>
    expectClose(
      at(schedule.cosine(1, { total: 10, floor: 0.2 }), 0, 5, 10, 99),
      [1, 0.6, 0.2, 0.2],
    ));

  it('warmup', () => {
    const rule = schedule.warmup(schedule.step(1, { every: 2, factor: 0.5 }), { total: 4 });
    expectClose(at(rule, 0, 1, 3, 4, 5, 6), [0.2, 0.4, 0.8, 1, 1, 0.5]);
  });

  it('piecewise', () => {
    const lr = schedule.piecewise({ boundaries: [4, 8], rates: [5e-4, 3e-4, 1e-4] });
    expect(at(lr, 0, 3, 4, 7, 8, 100)).toEqual([5e-4, 5e-4, 3e-4, 3e-4, 1e-4, 1e-4]);
  });

  it('reduceOnPlateau waits, reduces, cools down and stops at the floor', () => {
    const plateau = schedule.reduceOnPlateau(1, {
      factor: 0.1,
      patience: 1,
      cooldown: 1,
      floor: 0.005,
    });
    const rates = [5, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4].map((loss) => plateau.update(loss));
    // Update 3 is the second in a row without improvement; update 4 cools.
    const wanted = [1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.005, 0.005];
    rates.forEach((rate, i) => expect(rate, `update ${i}`).toBeCloseTo(wanted[i], 12));
  });

  it('reduceOnPlateau takes NaN for no improvement, and never for the best so far', () => {
    // PyTorch 2's ReduceLROnPlateau(factor=0.5, patience=1) on the same metrics.
    const rates = (metrics: number[], mode: 'min' | 'max' = 'min') => {
      const plateau = schedule.reduceOnPlateau(1, { factor: 0.5, patience: 1, mode });
      return metrics.map((metric) => plateau.update(metric));
    };
    expect(rates([NaN, 5, 4, 3, 2, 1, 0.5])).toEqual([1, 1, 1, 1, 1, 1, 1]);
    expect(rates([NaN, 0.1, 0.2, 0.3], 'max')).toEqual([1, 1, 1, 1]);
    expect(rates([5, NaN, NaN, 4, NaN, 3])).toEqual([1, 1, 0.5, 0.5, 0.5, 0.5]);
    const poisoned = schedule.reduceOnPlateau(1, { factor: 0.5, patience: 1 });
    poisoned.loadState({ lr: 1, best: NaN, waited: 0, cooling: 0 });
    expect([3, 2, 1].map((metric) => poisoned.update(metric))).toEqual([1, 1, 1]);
  });

  it('reduceOnPlateau judges accuracies upwards, and goes on from a saved state', () => {
    const options = { patience: 0, mode: 'max' } as const;
    const plateau = schedule.reduceOnPlateau(1, options);
    expect(plateau.update(0.5)).toBe(1);
    expect(plateau.update(0.6)).toBe(1);
    const other = schedule.reduceOnPlateau(9, options);
    other.loadState(
      JSON.parse(JSON.stringify(plateau.state())) as ReturnType<typeof plateau.state>,
    );
    expect(other.lr).toBe(1);
    expect(other.update(0.6)).toBeCloseTo(0.1, 12);
    expect(plateau.lr).toBe(1);
  });

  it('refuses options out of range', () => {
    expect(() => schedule.step(1, { every: 0 })).toThrow('schedule: step got every=0');
    expect(() => schedule.cosine(NaN, { total: 3 })).toThrow('schedule: cosine got lr=NaN');
    expect(() => schedule.piecewise({ boundaries: [1], rates: [1] })).toThrow(
      'schedule: piecewise needs one rate more than boundaries, got 1 rates and 1 boundaries',
    );
    expect(() => schedule.reduceOnPlateau(1, { factor: 1 })).toThrow(
      'reduceOnPlateau got factor=1',
    );
  });
});
