/** Shapes of conv2dTranspose: x [N H W C], w [R S K/groups C] (output channels first, as in Keras), bias [K]. */
import {
  errorCase,
  labelled,
  opCase,
  says,
  withIntegers,
  type ErrorCase,
  type InputSpec,
  type OpCase,
} from './types.js';

function convolution(
  note: string,
  x: number[],
  w: number[],
  options: Record<string, unknown> = {},
  bias = false,
): OpCase {
  const inputs: Record<string, InputSpec> = { x: { shape: x }, w: { shape: w } };
  if (bias) inputs.bias = { shape: [w[2] * ((options.groups as number | undefined) ?? 1)] };
  return opCase(note, inputs, options);
}

const plain: OpCase[] = [
  convolution('1×1', [1, 3, 5, 3], [1, 1, 4, 3]),
  convolution('3×3', [2, 4, 5, 3], [3, 3, 5, 3], {}, true),
  convolution("3×3, 'same'", [1, 5, 4, 4], [3, 3, 8, 4], { padding: 'same' }),
  convolution(
    'doubles the image',
    [1, 5, 6, 4],
    [2, 2, 3, 4],
    { stride: 2, padding: 'same' },
    true,
  ),
  convolution("asymmetric 'same'", [1, 4, 5, 3], [3, 3, 4, 3], { stride: 2, padding: 'same' }),
  convolution('stride 2, overlapping taps', [2, 4, 3, 2], [5, 5, 3, 2], { stride: 2 }),
  convolution('stride 3 leaves gaps', [1, 3, 4, 2], [2, 2, 3, 2], { stride: 3 }),
  convolution("stride 3, 'same', gaps at the end", [1, 3, 4, 2], [2, 2, 3, 2], {
    stride: 3,
    padding: 'same',
  }),
  convolution('unequal stride and padding', [1, 4, 5, 3], [3, 3, 2, 3], {
    stride: [2, 1],
    padding: [1, 0],
  }),
  convolution('asymmetric padding', [1, 4, 4, 2], [3, 3, 3, 2], {
    stride: 2,
    padding: [
      [0, 1],
      [1, 0],
    ],
  }),
  convolution('output padding', [1, 4, 5, 4], [3, 3, 4, 4], {
    stride: 2,
    padding: 1,
    outputPadding: 1,
  }),
  convolution('dilation 2', [1, 5, 4, 3], [3, 3, 2, 3], { dilation: 2 }),
  convolution(
    'channels of 16',
    [1, 5, 5, 16],
    [3, 3, 32, 16],
    { stride: 2, padding: 'same' },
    true,
  ),
  convolution('channels one above the tiles', [1, 3, 3, 33], [2, 2, 17, 33], { stride: 2 }),
  convolution('two groups', [1, 4, 5, 6], [3, 3, 2, 6], { groups: 2, stride: 2 }, true),
  convolution('four groups in vectors', [2, 3, 4, 16], [3, 3, 8, 16], {
    groups: 4,
    padding: 'same',
  }),
  convolution('a group for each channel', [1, 5, 4, 3], [3, 2, 1, 3], {
    groups: 3,
    stride: [1, 2],
  }),
  convolution('one pixel becomes an image', [2, 1, 1, 5], [4, 4, 6, 5]),
];

/** Small products and a large bias keep every sum away from the kink at zero. */
const activated = opCase(
  'relu',
  {
    x: { shape: [1, 4, 4, 3], fill: 'uniform', range: [-0.2, 0.2] },
    w: { shape: [3, 3, 6, 3], fill: 'uniform', range: [-0.2, 0.2] },
    bias: { shape: [6], fill: 'awayFromZero', range: [1, 2] },
  },
  { stride: 2, padding: 'same', activation: 'relu' },
);

export const cases: OpCase[] = [...plain, activated];

export const exactCases: OpCase[] = plain.map(withIntegers);

function refused(
  note: string,
  x: number[],
  w: number[],
  options: Record<string, unknown>,
  ...parts: string[]
): ErrorCase {
  const inputs = { x: { shape: x }, w: { shape: w } };
  return errorCase(note, inputs, options, says('conv2dTranspose', ...parts));
}

const x4 = [1, 4, 4, 3];
const w4 = [3, 3, 8, 3];

export const errorCases: ErrorCase[] = [
  refused('channels differ', x4, [3, 3, 3, 8], {}, labelled('x', x4), labelled('w', [3, 3, 3, 8])),
  refused('x is no batch of images', [4, 4, 3], w4, {}, labelled('x', [4, 4, 3])),
  refused('groups that do not divide', x4, w4, { groups: 2 }, 'groups', 'C=3', labelled('x', x4)),
  refused('stride 0', x4, w4, { stride: 0 }, 'stride', 'got 0'),
  refused('nothing is left', [1, 1, 1, 3], w4, { padding: 2 }, 'padding', '\\b2\\b'),
  refused('negative output padding', x4, w4, { outputPadding: -1 }, 'outputPadding', 'got -1'),
];
