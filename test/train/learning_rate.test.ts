import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { schedule } from '../../src/optim/index.js';
import { checkSchedule, LearningRate, plateauOf } from '../../src/train/learning_rate.js';

const settings = { lr: 0.1, warmup: 0, epochs: 12 };
const rate = (schedule: string, more: object = {}): LearningRate =>
  new LearningRate({ ...settings, schedule, ...more }, 10);

describe('the learning rate of a step', () => {
  it('comes in equal stages of the run', () => {
    const stages = rate('stages:3,2,1');
    const byEpoch = Array.from({ length: 12 }, (_, epoch) => stages.at(epoch * 10 + 9));
    expect(byEpoch).toEqual([3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1]);
    // A run that was prolonged beyond its stages stays at the last rate.
    expect(stages.at(500)).toBe(1);
  });

  it('may be named for each epoch', () => {
    const named = rate('per-epoch:0.3,0.2');
    expect([0, 9, 10, 99].map((step) => named.at(step))).toEqual([0.3, 0.3, 0.2, 0.2]);
  });

  it('falls with the steps as Keras’ decay does: lr / (1 + decay · iterations)', () => {
    expect(rate('inverse-time:2e-6').at(10_000)).toBeCloseTo(0.1 / 1.02, 12);
  });

  it('falls by a factor an epoch, smoothly, and by steps', () => {
    expect(rate('exponential:0.5').at(10)).toBeCloseTo(0.05, 12);
    expect(rate('exponential:0.5').at(5)).toBeCloseTo(0.1 * Math.SQRT1_2, 12);
    expect([29, 30, 60].map((step) => rate('step:3,0.1').at(step))).toEqual([
      0.1,
      expect.closeTo(0.01, 12),
      expect.closeTo(0.001, 12),
    ]);
  });

  it('falls along a cosine to its floor', () => {
    const cosine = rate('cosine:0.02');
    expect(cosine.at(0)).toBeCloseTo(0.1, 12);
    expect(cosine.at(60)).toBeCloseTo(0.06, 12);
    expect(cosine.at(120)).toBeCloseTo(0.02, 12);
  });

  it('rises over the warm-up', () => {
    const warm = rate('constant', { warmup: 0.4 });
    expect([0, 1, 2, 3, 4].map((step) => warm.at(step))).toEqual(
      [0.02, 0.04, 0.06, 0.08, 0.1].map((value) => expect.closeTo(value, 12) as number),
    );
  });

  it('falls when the validation loss does, and goes on where a checkpoint left it', () => {
    const options = plateauOf('plateau:0.5,1')!;
    const [followed, other] = [1, 2].map(() => schedule.reduceOnPlateau(0.1, options));
    const first = rate('plateau:0.5,1');
    first.follow(followed, null);
    followed.update(1);
    followed.update(2);
    expect(first.at(20)).toBe(0.1);
    const state = JSON.parse(JSON.stringify(first.state())) as never;
    const resumed = rate('plateau:0.5,1');
    resumed.follow(other, state);
    for (const each of [followed, other]) each.update(2);
    expect(first.at(30)).toBe(0.05);
    expect(resumed.at(30)).toBe(0.05);
    expect(() => first.follow(other, null)).toThrow('beside another plateau');
    expect(() => rate('cosine').follow(other, null)).toThrow('beside a schedule');
  });

  it.each([
    ['cosin', 'schedule: no schedule named "cosin"\nfix: did you mean "cosine"?'],
    ['stages', 'schedule: expected stages:RATE,RATE,…'],
    ['stages:1,x', 'schedule: expected stages:RATE'],
    ['stages:1,,2', 'schedule: expected stages:RATE'],
    ['inverse-time:1,2', 'schedule: expected inverse-time:DECAY'],
    ['constant:3', 'schedule: expected constant, got "constant:3"'],
    ['inverse-time:1e39', 'schedule: expected numbers of f32 (0, or 1.18e-38 to 3.40e+38), got'],
    ['stages:1e-300,1', 'schedule: expected numbers of f32'],
    ['plateau:2,3', 'factor=2, which is out of range'],
    ['exponential:-1', 'schedule: expected exponential:FACTOR'],
  ])('%s is refused', (text, message) => {
    expect(() => checkSchedule(text)).toThrow(UsageError);
    expect(() => checkSchedule(text)).toThrow(message);
  });
});
