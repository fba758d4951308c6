import { describe, expect, it } from 'vitest';
import {
  averages,
  calibration,
  calibrationBins,
  classMetrics,
  confusedPairs,
  confusionMatrix,
  countText,
  measure,
  topKAccuracy,
  topKChoices,
  wilsonInterval,
} from '../../src/train/metrics.js';

const labels = Int32Array.from([0, 0, 0, 1, 1, 2]);
const predictions = Int32Array.from([0, 0, 1, 1, 0, 1]);
const confusion = [
  [2, 1, 0],
  [1, 1, 0],
  [0, 1, 0],
];

describe('per-class figures', () => {
  it('are those worked out by hand', () => {
    expect(confusionMatrix(labels, predictions, 3)).toEqual(confusion);
    expect(classMetrics(confusion, ['a', 'b', 'c'])).toEqual([
      { name: 'a', precision: 2 / 3, recall: 2 / 3, f1: 2 / 3, support: 3 },
      { name: 'b', precision: 1 / 3, recall: 1 / 2, f1: expect.closeTo(0.4, 12), support: 2 },
      { name: 'c', precision: 0, recall: 0, f1: 0, support: 1 },
    ]);
  });

  it('are averaged plainly and by support', () => {
    const { macro, weighted } = averages(classMetrics(confusion, ['a', 'b', 'c']), confusion);
    expect(macro.precision).toBeCloseTo(1 / 3, 12);
    expect(macro.recall).toBeCloseTo((2 / 3 + 1 / 2) / 3, 12);
    expect(macro.f1).toBeCloseTo((2 / 3 + 0.4) / 3, 12);
    // (3 · 2/3 + 2 · 1/3) / 6; recall by support is the accuracy, 3 of 6.
    expect(weighted.precision).toBeCloseTo(4 / 9, 12);
    expect(weighted.recall).toBeCloseTo(0.5, 12);
    expect(weighted.f1).toBeCloseTo((3 * (2 / 3) + 2 * 0.4) / 6, 12);
  });

  it('leave out of the plain mean a class that neither occurs nor was predicted', () => {
    const matrix = [
      [3, 1, 0],
      [0, 0, 0],
      [0, 0, 0],
    ];
    // Class b was predicted once without occurring and counts; class c did neither.
    const { macro } = averages(classMetrics(matrix, ['a', 'b', 'c']), matrix);
    expect(macro).toEqual({ precision: 0.5, recall: 0.375, f1: expect.closeTo(3 / 7, 12) });
  });
});

describe('top-k accuracy', () => {
  it('counts examples whose class is among the k most probable', () => {
    const probabilities = Float32Array.from([
      ...[0.6, 0.3, 0.1], // label 0: first
      ...[0.5, 0.4, 0.1], // label 1: second
      ...[0.5, 0.3, 0.2], // label 2: third
      ...[0.4, 0.4, 0.2], // label 1: equal to class 0, which comes first
    ]);
    const found = topKAccuracy(Int32Array.from([0, 1, 2, 1]), probabilities, [1, 2, 3]);
    expect(found).toEqual([
      { k: 1, accuracy: 0.25 },
      { k: 2, accuracy: 0.75 },
      { k: 3, accuracy: 1 },
    ]);
  });

  it('chooses k by the number of classes', () => {
    expect([1, 2, 3, 5, 9, 10, 100].map(topKChoices)).toEqual([
      ...[[1], [1], [1, 2], [1, 3], [1, 3], [1, 5], [1, 5]],
    ]);
  });
});

describe('calibration', () => {
  it('is the mean gap of confidence and accuracy over bins', () => {
    // Two classes, five bins: confidences 0.9, 0.9 (one wrong) in the last, 0.75 in the fourth.
    const probabilities = Float32Array.from([0.9, 0.1, 0.1, 0.9, 0.25, 0.75]);
    const { expectedCalibrationError, bins } = calibration(
      Int32Array.from([0, 0, 1]),
      Int32Array.from([0, 1, 1]),
      probabilities,
      5,
    );
    // (2 · |0.5 - 0.9| + 1 · |1 - 0.75|) / 3
    expect(expectedCalibrationError).toBeCloseTo(1.05 / 3, 6);
    expect(bins.map(({ count }) => count)).toEqual([0, 0, 0, 1, 2]);
    expect(bins[4]).toMatchObject({ low: 0.8, high: 1, accuracy: 0.5 });
    expect(bins[4].confidence).toBeCloseTo(0.9, 6);
    expect(bins[0]).toEqual({ low: 0, high: 0.2, count: 0, confidence: 0, accuracy: 0 });
  });

  it('puts a confidence on an edge into the bin below it, 0 into the first, 1 into the last', () => {
    const count = (confidence: number): number[] =>
      calibration(Int32Array.of(0), Int32Array.of(0), Float32Array.of(confidence), 4).bins.map(
        (bin) => bin.count,
      );
    expect(count(0.5)).toEqual([0, 1, 0, 0]);
    expect(count(0)).toEqual([1, 0, 0, 0]);
    expect(count(1)).toEqual([0, 0, 0, 1]);
  });

  it('has bins for which there are images: ten each, from 3 to 15 of them', () => {
    expect([0, 24, 40, 99, 150, 60_000].map(calibrationBins)).toEqual([3, 3, 4, 9, 15, 15]);
  });

  it('is 0 for a network that is right and sure', () => {
    const found = calibration(Int32Array.of(1), Int32Array.of(1), Float32Array.of(0, 1));
    expect(found.expectedCalibrationError).toBe(0);
    expect(found.bins).toHaveLength(15);
  });
});

it('lists confused pairs, the most frequent first, then the larger share', () => {
  expect(confusedPairs(confusion)).toEqual([
    { label: 2, prediction: 1, count: 1, share: 1 },
    { label: 1, prediction: 0, count: 1, share: 0.5 },
    { label: 0, prediction: 1, count: 1, share: 1 / 3 },
  ]);
  expect(confusedPairs(confusion, 1)).toHaveLength(1);
});

it('measures no examples without dividing by nothing', () => {
  const nothing = { predictions: new Int32Array(0), probabilities: new Float32Array(0) };
  const found = measure(new Int32Array(0), nothing, ['a', 'b']);
  expect(found.macro).toEqual({ precision: 0, recall: 0, f1: 0 });
  expect(found.topK).toEqual([{ k: 1, accuracy: 0 }]);
  expect(found.calibration.expectedCalibrationError).toBe(0);
});

describe('how far an accuracy is known', () => {
  // Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17
  // (1998), table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('%i of %i', (right, count, low, high) => {
    const interval = wilsonInterval(right / count, count);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  it('is said beside the number of images', () => {
    expect(countText(0.75, 24)).toBe('24 images: ±16 points, 55 to 88 %');
    expect(countText(1, 1)).toBe('1 image: ±40 points, 21 to 100 %');
    expect(countText(0.99, 10_000)).toBe('10,000 images: ±0.20 points, 98.79 to 99.18 %');
    expect(countText(0, 0)).toBe('0 images: ±50 points, 0 to 100 %');
  });
});
