import { describe, expect, it } from 'vitest';
import { fittingInput, fittingSettings, hasHandedness } from '../../src/train/fitting.js';

const repeated = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const facts = { classNames: ['cat', 'dog'], heldOut: null };

describe('an input that fits the pictures', () => {
  it.each<[string, [number, number][], number]>([
    ['small pictures', repeated(5, [32, 32]), 32],
    [
      'camera pictures of both orientations',
      [
        [4000, 3000],
        [960, 1280],
        [3000, 4000],
      ],
      96,
    ],
    ['pictures of 96×96', repeated(5, [96, 96]), 96],
    ['pictures of 95×95', repeated(5, [95, 95]), 64],
    ['one of 1×1 among others', [[1, 1], ...repeated(4, [70, 100] as [number, number])], 64],
    ['dots', repeated(3, [1, 1]), 32],
    ['long ones, by their short edge', repeated(3, [40, 4000]), 32],
  ])('%s', (_, sizes, edge) => {
    expect(fittingInput(sizes)).toEqual([edge, edge]);
  });
});

describe('settings that fit the amount of data', () => {
  it.each([
    [6, 120, 8],
    [240, 120, 16],
    [2000, 20, 64],
    [100_000, 20, 64],
  ])('%i images: %i epochs in batches of %i', (images, epochs, batchSize) => {
    expect(fittingSettings({ ...facts, images })).toMatchObject({ epochs, batchSize });
  });

  it('hold out an image a class where the data are few, at most a third', () => {
    const share = (images: number): unknown =>
      fittingSettings({ ...facts, images }).validationShare;
    expect([6, 12, 240].map(share)).toEqual([0.33, 0.17, 0.1]);
    expect(fittingSettings({ ...facts, images: 6, heldOut: 3 }).validationShare).toBe(undefined);
  });

  it('stop early, and choose an epoch, only by enough images to tell', () => {
    const chosen = (heldOut: number | null): unknown =>
      fittingSettings({ ...facts, images: 600, heldOut });
    for (const few of [null, 99]) {
      expect(chosen(few)).toMatchObject({ earlyStopping: null, checkpoint: 'last' });
    }
    expect(chosen(100)).toMatchObject({ earlyStopping: 25, checkpoint: 'best' });
  });

  it('do not mirror where left and right make the class', () => {
    const signs = ['turn left ahead', 'no entry'];
    expect(fittingSettings({ images: 60, classNames: signs, heldOut: null }).augment).not.toMatch(
      /flip/,
    );
    expect(fittingSettings({ ...facts, images: 60 }).augment).toMatch(/^flip,/);
    expect(['0', '1', '10'].every((name) => hasHandedness([name]))).toBe(true);
    expect(hasHandedness(['bright', 'copyright'])).toBe(false);
  });
});
