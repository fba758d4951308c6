/** Shapes of pool2d: x [N H W C]; kind 'max' is ops.maxPool2d, 'avg' ops.avgPool2d. */
import {
  errorCase,
  labelled,
  opCase,
  says,
  type ErrorCase,
  type Fill,
  type OpCase,
} from './types.js';

type Geometry = [note: string, x: number[], options: Record<string, unknown>];

const geometries: Geometry[] = [
  ['2×2', [2, 6, 8, 3], { size: 2 }],
  ['2×2, odd sizes drop a row and a column', [1, 7, 5, 4], { size: 2 }],
  ['3×3, stride 2, overlapping', [2, 9, 7, 5], { size: 3, stride: 2 }],
  ['3×3, stride 2, padded', [1, 8, 8, 16], { size: 3, stride: 2, padding: 1 }],
  ["asymmetric 'same'", [1, 8, 7, 3], { size: 3, stride: 2, padding: 'same' }],
  ["'same', stride 1", [1, 5, 6, 2], { size: 2, stride: 1, padding: 'same' }],
  ['unequal size and stride', [1, 9, 8, 6], { size: [3, 2], stride: [1, 2] }],
  [
    'asymmetric padding',
    [1, 6, 6, 4],
    {
      size: 3,
      padding: [
        [0, 2],
        [1, 0],
      ],
    },
  ],
  ['window as large as the image', [2, 4, 5, 7], { size: [4, 5] }],
  ['1×1, stride 2', [1, 5, 5, 1], { size: 1, stride: 2 }],
  ['channels one above a tile', [1, 4, 4, 65], { size: 2 }],
  ['dilated', [1, 8, 7, 3], { size: 3, stride: 1, dilation: 2 }],
  ['dilated, in vectors', [2, 9, 8, 4], { size: [2, 3], stride: 2, dilation: [3, 2], padding: 1 }],
  ['dilated beyond the border', [1, 4, 5, 2], { size: 2, stride: 1, dilation: 3, padding: 2 }],
  ['ceil mode', [1, 6, 8, 3], { size: 3, ceilMode: true }],
  ['ceil mode, overlapping, in vectors', [1, 8, 6, 8], { size: 3, stride: 2, ceilMode: true }],
  ['ceil mode, padded', [2, 7, 6, 2], { size: 3, stride: 2, padding: 1, ceilMode: true }],
  // the last window would begin behind the image
  [
    'ceil mode, nothing added',
    [1, 5, 4, 1],
    { size: 2, stride: 3, padding: [0, 1], ceilMode: true },
  ],
  [
    'ceil mode, dilated, in vectors',
    [1, 10, 9, 4],
    { size: 2, stride: 3, dilation: 2, padding: 1, ceilMode: true },
  ],
];

function pools(kind: 'max' | 'avg', fill: Fill): OpCase[] {
  return geometries.map(([note, shape, options]) =>
    opCase(`${kind}, ${note}`, { x: { shape, fill } }, { kind, ...options }),
  );
}

/** Averages whose window holds padding, divided by the full window. */
const countingPadding: OpCase[] = geometries
  .filter(([, , { padding }]) => padding !== undefined)
  .map(([note, shape, options]) =>
    opCase(`avg, ${note}`, { x: { shape } }, { kind: 'avg', ...options, countIncludePad: true }),
  );

export const cases: OpCase[] = [
  ...pools('max', 'distinct'),
  ...pools('avg', 'normal'),
  ...countingPadding,
];

/** Maxima of integers tie often: the first one takes the gradient. Averages over 2×2 and 1×1 are exact. */
export const exactCases: OpCase[] = [
  ...pools('max', 'integers'),
  opCase('avg, 2×2', { x: { shape: [2, 6, 8, 3], fill: 'integers' } }, { kind: 'avg', size: 2 }),
  opCase(
    'avg, 2×2, overlapping',
    { x: { shape: [1, 7, 5, 5], fill: 'integers' } },
    { kind: 'avg', size: 2, stride: 1 },
  ),
];

function refused(note: string, x: number[], options: Record<string, unknown>, ...parts: string[]) {
  const message = says(options.kind === 'max' ? 'maxPool2d' : 'avgPool2d', ...parts);
  return errorCase(note, { x: { shape: x } }, options, message);
}

const x = [1, 4, 4, 3];

export const errorCases: ErrorCase[] = [
  refused('no batch of images', [8, 8, 3], { kind: 'max', size: 2 }, labelled('x', [8, 8, 3])),
  refused('window larger than the image', x, { kind: 'max', size: 5 }, '\\b5\\b', 'H=4'),
  refused('stride 0', x, { kind: 'avg', size: 2, stride: 0 }, 'stride', 'got 0'),
  refused('size 0', x, { kind: 'avg', size: 0 }, 'size', 'got 0'),
  refused('a window of padding', x, { kind: 'max', size: 2, padding: 2 }, 'padding', '\\b2\\b'),
];
