/** Figures of a classifier on labelled data, from its labels and probabilities [N K]. */

/** Precision, recall and F1 of one class; 0 where nothing was predicted or present. */
export interface ClassMetrics {
  name: string;
  precision: number;
  recall: number;
  f1: number;
  support: number;
}

/** Means of the classes' figures. */
export type Averages = Pick<ClassMetrics, 'precision' | 'recall' | 'f1'>;

/** The share of examples whose class is among the `k` most probable. */
export interface TopK {
  k: number;
  accuracy: number;
}

export interface CalibrationBin {
  /** Confidences in (low, high]; 0 belongs to the first bin. */
  low: number;
  high: number;
  count: number;
  /** Mean confidence and share of right predictions; 0 in an empty bin. */
  confidence: number;
  accuracy: number;
}

export interface Calibration {
  expectedCalibrationError: number;
  bins: CalibrationBin[];
}

/** How often examples of one class were taken for another. */
export interface ConfusedPair {
  label: number;
  prediction: number;
  count: number;
  /** Of all examples of the class. */
  share: number;
}

export interface Metrics {
  confusion: number[][];
  classes: ClassMetrics[];
  macro: Averages;
  weighted: Averages;
  topK: TopK[];
  calibration: Calibration;
}

/** Where a share of all such examples lies, seen that of `count` of them. */
export interface Interval {
  low: number;
  high: number;
}

/** Of the normal distribution, 95 % lies within so many standard deviations. */
const DEVIATIONS_95 = 1.959964;

/**
 * The 95 % confidence interval of a share: ten of ten right say that at least 72 % are.
 *
 * **Source** Wilson, "Probable inference, the law of succession, and statistical inference",
 * JASA 22 (1927).
 *
 * @example
 * wilsonInterval(0.75, 24) // { low: 0.551, high: 0.880 }
 */
export function wilsonInterval(share: number, count: number): Interval {
  if (count === 0) return { low: 0, high: 1 };
  const square = DEVIATIONS_95 ** 2;
  const middle = share + square / (2 * count);
  const half = Math.sqrt(square * ((share * (1 - share)) / count + square / (4 * count ** 2)));
  const scale = 1 + square / count;
  return {
    low: Math.max(0, (middle - half) / scale),
    high: Math.min(1, (middle + half) / scale),
  };
}

/** `24 images: ±16 points, 55 to 88 %`: how far an accuracy is known. */
export function countText(accuracy: number, count: number): string {
  const { low, high } = wilsonInterval(accuracy, count);
  const points = 50 * (high - low);
  const digits = points < 1 ? 2 : points < 10 ? 1 : 0;
  const percent = (value: number): string => (100 * value).toFixed(digits);
  const images = `${count.toLocaleString('en-US')} ${count === 1 ? 'image' : 'images'}`;
  return `${images}: ±${points.toFixed(digits)} points, ${percent(low)} to ${percent(high)} %`;
}

/** All figures at once. `predictions` are the most probable classes. */
export function measure(
  labels: Int32Array,
  { predictions, probabilities }: { predictions: Int32Array; probabilities: Float32Array },
  names: readonly string[],
): Metrics {
  const confusion = confusionMatrix(labels, predictions, names.length);
  const classes = classMetrics(confusion, names);
  return {
    ...{ confusion, classes, ...averages(classes, confusion) },
    topK: topKAccuracy(labels, probabilities, topKChoices(names.length)),
    calibration: calibration(
      ...([labels, predictions, probabilities, calibrationBins(labels.length)] as const),
    ),
  };
}

/** confusion[label][prediction], counted. */
export function confusionMatrix(
  labels: Int32Array,
  predictions: Int32Array,
  classes: number,
): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let n = 0; n < labels.length; n++) matrix[labels[n]][predictions[n]]++;
  return matrix;
}

export function classMetrics(
  confusion: readonly (readonly number[])[],
  names: readonly string[],
): ClassMetrics[] {
  return names.map((name, k) => {
    const support = confusion[k].reduce((a, b) => a + b, 0);
    const predicted = confusion.reduce((sum, row) => sum + row[k], 0);
    const hits = confusion[k][k];
    const precision = predicted === 0 ? 0 : hits / predicted;
    const recall = support === 0 ? 0 : hits / support;
    const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
    return { name, precision, recall, f1, support };
  });
}

/**
 * The plain mean of the classes, and the mean weighted by support. A class that is neither present
 * nor predicted says nothing and is left out of the plain mean.
 */
export function averages(
  classes: readonly ClassMetrics[],
  confusion: readonly (readonly number[])[],
): { macro: Averages; weighted: Averages } {
  const occurs = classes.map(
    ({ support }, k) => support > 0 || confusion.some((row) => row[k] > 0),
  );
  const mean = (weights: readonly number[]): Averages => {
    const total = weights.reduce((a, b) => a + b, 0) || 1;
    const of = (key: keyof Averages): number =>
      classes.reduce((sum, row, k) => sum + row[key] * weights[k], 0) / total;
    return { precision: of('precision'), recall: of('recall'), f1: of('f1') };
  };
  return {
    macro: mean(occurs.map(Number)),
    weighted: mean(classes.map(({ support }) => support)),
  };
}

/** Which k say something: 1, and 5 from ten classes on, 3 from five, 2 from three. */
export function topKChoices(classes: number): number[] {
  const more = classes >= 10 ? 5 : classes >= 5 ? 3 : classes >= 3 ? 2 : 1;
  return more === 1 ? [1] : [1, more];
}

/** Of equally probable classes the first counts as the more probable, as in the predictions. */
export function topKAccuracy(
  labels: Int32Array,
  probabilities: Float32Array,
  ks: readonly number[],
): TopK[] {
  const count = labels.length;
  const classes = count === 0 ? 0 : probabilities.length / count;
  const hits = ks.map(() => 0);
  for (let n = 0; n < count; n++) {
    const label = labels[n];
    const own = probabilities[n * classes + label];
    let rank = 0;
    for (let k = 0; k < classes; k++) {
      const other = probabilities[n * classes + k];
      // Written so that probabilities that are no numbers leave the first class the first.
      if (k < label ? !(own > other) : other > own) rank++;
    }
    for (const [i, k] of ks.entries()) if (rank < k) hits[i]++;
  }
  return ks.map((k, i) => ({ k, accuracy: count === 0 ? 0 : hits[i] / count }));
}

const FEWEST_BINS = 3;
const MOST_BINS = 15;
const IMAGES_PER_BIN = 10;

/** As many bins as have ten examples each: the accuracy of fewer says nothing. From 3 to 15. */
export function calibrationBins(count: number): number {
  return Math.min(MOST_BINS, Math.max(FEWEST_BINS, Math.floor(count / IMAGES_PER_BIN)));
}

/**
 * How far confidence (the probability of the predicted class) and accuracy lie apart: examples are
 * put into bins of equal width by confidence, and the gaps are averaged, weighted by their counts:
 * ECE = Σ_b |B_b| / N · |accuracy(B_b) − confidence(B_b)|.
 *
 * **Source** Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks",
 * arXiv:1706.04599, equation 3.
 */
export function calibration(
  labels: Int32Array,
  predictions: Int32Array,
  probabilities: Float32Array,
  binCount = MOST_BINS,
): Calibration {
  const count = labels.length;
  const classes = count === 0 ? 0 : probabilities.length / count;
  const sums = Array.from({ length: binCount }, () => ({ count: 0, confidence: 0, right: 0 }));
  for (let n = 0; n < count; n++) {
    const confidence = probabilities[n * classes + predictions[n]];
    if (!Number.isFinite(confidence)) continue;
    const bin = sums[Math.min(binCount - 1, Math.max(0, Math.ceil(confidence * binCount) - 1))];
    bin.count++;
    bin.confidence += confidence;
    if (predictions[n] === labels[n]) bin.right++;
  }
  const total = sums.reduce((sum, bin) => sum + bin.count, 0) || 1;
  const gaps = sums.map(({ right, confidence }) => Math.abs(right - confidence));
  return {
    expectedCalibrationError: gaps.reduce((a, b) => a + b, 0) / total,
    bins: sums.map(({ count: inBin, confidence, right }, b) => ({
      ...{ low: b / binCount, high: (b + 1) / binCount, count: inBin },
      confidence: inBin === 0 ? 0 : confidence / inBin,
      accuracy: inBin === 0 ? 0 : right / inBin,
    })),
  };
}

/** The pairs (class, other class) with the most mistakes, at most `most` of them. */
export function confusedPairs(
  confusion: readonly (readonly number[])[],
  most = Infinity,
): ConfusedPair[] {
  const pairs: ConfusedPair[] = [];
  for (const [label, row] of confusion.entries()) {
    const support = row.reduce((a, b) => a + b, 0);
    for (const [prediction, count] of row.entries()) {
      if (label === prediction || count === 0) continue;
      pairs.push({ label, prediction, count, share: count / support });
    }
  }
  pairs.sort((a, b) => b.count - a.count || b.share - a.share || a.label - b.label);
  return pairs.slice(0, Math.min(most, pairs.length));
}
