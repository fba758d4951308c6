import { describe, expect, it } from 'vitest';
import { freshProgress, type Checkpoint, type Progress } from '../../src/train/checkpoint.js';
import type { EpochMetrics } from '../../src/train/history.js';
import {
  checkResumed,
  checkSameData,
  restoredProgress,
  settingsBefore,
} from '../../src/train/resume.js';
import { config } from './helpers.js';

describe('what a checkpoint restores', () => {
  const plateau = { lr: 0.25, best: 1, waited: 3, cooling: 0 };
  const checkpointOf = (more: Partial<Progress> = {}, lr = 1): Checkpoint => ({
    config: { ...config, schedule: 'plateau:0.5,5', lr },
    progress: { ...freshProgress(), epoch: 2, step: 10, plateau, ...more },
    ...{ weights: new Map(), optimizer: new Map(), scalars: {} },
  });

  it('a plateau keeps its rate unless one is set, even one that was the first', () => {
    const checkpoint = checkpointOf();
    const rate = (lr: number, given: { lr?: number }) =>
      restoredProgress(checkpoint, { ...checkpoint.config, lr }, given).plateau;
    expect(rate(1, {})).toEqual(plateau);
    expect(rate(1, { lr: 1 })).toEqual({ ...plateau, lr: 1 });
    expect(rate(0.1, { lr: 0.1 })).toEqual({ ...plateau, lr: 0.1 });
    // Set when the run went on before, and killed before it saved.
    expect(rate(0.1, {})).toEqual({ ...plateau, lr: 0.1 });
    const constant = { ...checkpoint.config, schedule: 'constant' };
    expect(restoredProgress(checkpoint, constant, {}).plateau).toBeNull();
  });

  it('settings that may change are those of config.json, the others of the checkpoint', () => {
    const saved = {
      ...config,
      lr: 0.5,
      epochs: 7,
      schedule: 'cosine',
      momentum: 0.1,
      batchSize: 1,
    };
    const { lr, epochs, schedule, momentum, batchSize } = settingsBefore(saved, checkpointOf());
    expect([lr, epochs, schedule]).toEqual([0.5, 7, 'cosine']);
    expect([momentum, batchSize]).toEqual([config.momentum, config.batchSize]);
  });

  it('fewer epochs than were done, and settings without use, are refused', () => {
    const check = (progress: Partial<Progress>, settings: object, given: object) =>
      checkResumed('run', checkpointOf(progress).progress, { ...config, ...settings }, given);
    const stale = [1, 2, 1, 1.5, 3].map((valLoss) => ({ valLoss }) as EpochMetrics);
    check({}, { epochs: 2 }, {});
    check({ batch: 1 }, { epochs: 3 }, { lr: 1 });
    expect(() => check({}, { epochs: 1 }, {})).toThrow('epochs 1, but run is in epoch 2 already');
    expect(() => check({ batch: 1 }, { epochs: 2 }, {})).toThrow('run is in epoch 3 already');
    expect(() => check({}, { epochs: 2 }, { lr: 1 })).toThrow('nothing is left for --lr to change');
    expect(() =>
      check({ history: stale }, { epochs: 9, earlyStopping: 4 }, { validateEvery: 3 }),
    ).toThrow('run has stopped early: nothing is left for --validate-every to change');
  });

  it('other data are refused', () => {
    const check = (now: object, steps: number, progress: Partial<Progress> = {}) =>
      checkSameData('run', checkpointOf(progress), { ...config, ...now }, steps);
    check({}, 5);
    check({ classNames: ['x'] }, 9, { step: 0 });
    expect(() => check({ classNames: ['a'] }, 5)).toThrow('it had 4 classes, not 1');
    expect(() => check({ classNames: ['a', 'c', 'b', 'd'] }, 5)).toThrow('"b" as class 1, not "c"');
    expect(() => check({ imageShape: [9, 8, 1] }, 5)).toThrow('images of 8×8×1, not 9×8×1');
    expect(() => check({}, 6)).toThrow('5 steps an epoch, not 6');
    check({}, 8, { epoch: 0, batch: 8, step: 8 });
    expect(() => check({}, 7, { epoch: 0, batch: 8, step: 8 })).toThrow(
      'at least 8 steps an epoch',
    );
  });
});
