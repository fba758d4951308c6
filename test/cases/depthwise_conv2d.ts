/** Shapes of depthwiseConv2d: x [N H W C], w [R S C M], bias [C·M]. */
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
  if (bias) inputs.bias = { shape: [w[2] * w[3]] };
  return opCase(note, inputs, options);
}

/** Small products and a large bias keep every sum away from the kink at zero. */
function activated(
  note: string,
  x: number[],
  w: number[],
  options: Record<string, unknown>,
): OpCase {
  const inputs: Record<string, InputSpec> = {
    x: { shape: x, fill: 'uniform', range: [-0.2, 0.2] },
    w: { shape: w, fill: 'uniform', range: [-0.2, 0.2] },
    bias: { shape: [w[2] * w[3]], fill: 'awayFromZero', range: [1, 2] },
  };
  return opCase(note, inputs, options);
}

const plain: OpCase[] = [
  convolution('1×1', [1, 3, 5, 3], [1, 1, 3, 1]),
  convolution('3×3, odd sizes', [2, 7, 5, 3], [3, 3, 3, 1], { padding: 'same' }, true),
  convolution('one channel', [1, 6, 7, 1], [3, 3, 1, 1]),
  convolution('channels of 4', [1, 6, 6, 4], [3, 3, 4, 1], { padding: 1 }),
  convolution('channels fill a tile', [1, 5, 5, 32], [3, 3, 32, 1], { padding: 'same' }, true),
  convolution('one channel above a tile', [1, 5, 4, 65], [3, 3, 65, 1], { padding: 1 }),
  convolution('two outputs a channel', [2, 5, 6, 3], [3, 3, 3, 2], { padding: 'same' }, true),
  convolution('four outputs of one channel', [1, 6, 5, 1], [3, 3, 1, 4]),
  convolution('stride 2 drops a column', [1, 8, 8, 5], [3, 3, 5, 1], { stride: 2 }),
  convolution("asymmetric 'same'", [1, 8, 6, 8], [3, 3, 8, 1], { stride: 2, padding: 'same' }),
  convolution('asymmetric padding', [1, 6, 7, 4], [3, 3, 4, 1], {
    padding: [
      [0, 2],
      [1, 0],
    ],
  }),
  convolution('unequal stride and padding', [1, 9, 6, 2], [3, 3, 2, 3], {
    stride: [2, 1],
    padding: [2, 1],
  }),
  convolution('dilation 2', [1, 9, 8, 4], [3, 3, 4, 1], { dilation: 2, padding: 'same' }),
  convolution('dilation 2, stride 2', [1, 10, 9, 3], [3, 3, 3, 2], { dilation: 2, stride: 2 }),
  convolution('5×5, stride 2', [1, 11, 12, 8], [5, 5, 8, 1], { stride: 2, padding: 'same' }),
  convolution('kernel as large as the image', [2, 4, 5, 3], [4, 5, 3, 1]),
  // Around the edges of the register tiles, with four channels or more of one filter each.
  ...[4, 5, 7, 9].map((size) =>
    convolution(`3×3, ${size} pixels wide`, [1, 6, size, 4], [3, 3, 4, 1], { padding: 'same' }),
  ),
  convolution('5×5, 5 rows', [2, 5, 3, 8], [5, 5, 8, 1], { padding: 'same' }, true),
  ...[7, 8].map((size) =>
    convolution(`3×3, stride 2 over ${size}×${size + 1}`, [1, size, size + 1, 4], [3, 3, 4, 1], {
      ...{ stride: 2, padding: 'same' },
    }),
  ),
  ...[2, 3].map((padding) =>
    convolution(`5×5, stride 2, padding ${padding}`, [1, 5, 6, 4], [5, 5, 4, 1], {
      ...{ stride: 2, padding },
    }),
  ),
  convolution('image of one row', [2, 1, 9, 4], [3, 3, 4, 1], { padding: 'same' }),
  convolution('image of one column, stride 2', [1, 9, 1, 4], [5, 5, 4, 1], {
    ...{ stride: 2, padding: 'same' },
  }),
  convolution('one pixel', [1, 1, 1, 8], [5, 5, 8, 1], { padding: 'same' }),
  convolution('1×1, stride 2, padding 1', [1, 5, 6, 4], [1, 1, 4, 1], { stride: 2, padding: 1 }),
  convolution('2×4, asymmetric padding', [1, 9, 7, 12], [2, 4, 12, 1], {
    ...{ stride: [1, 2] },
    padding: [
      [2, 0],
      [1, 3],
    ],
  }),
  convolution('more padding than filter', [1, 4, 5, 4], [2, 2, 4, 1], { stride: 2, padding: 4 }),
  convolution('7×7, stride 2', [1, 4, 5, 4], [7, 7, 4, 1], { stride: 2, padding: 3 }),
  convolution('channels of several workgroups', [1, 5, 6, 280], [3, 3, 280, 1], { padding: 1 }),
  convolution('a filter too large for a tile', [1, 10, 9, 4], [8, 3, 4, 1], { padding: 3 }),
  convolution('stride 3', [1, 10, 9, 4], [3, 3, 4, 1], { stride: 3, padding: 1 }),
  convolution('many pixels', [2, 17, 15, 4], [3, 3, 4, 1], { padding: 1 }),
];

/** A convolution with a bias and a residual of the output's shape. */
function withResidual(
  note: string,
  x: number[],
  w: number[],
  y: number[],
  options: Record<string, unknown> = {},
): OpCase {
  const inputs = { x: { shape: x }, w: { shape: w }, bias: { shape: [w[2] * w[3]] } };
  return opCase(note, { ...inputs, residual: { shape: y } }, options);
}

const residuals: OpCase[] = [
  withResidual('residual', [1, 6, 7, 8], [3, 3, 8, 1], [1, 6, 7, 8], { padding: 1 }),
  withResidual('residual, two outputs', [1, 5, 5, 3], [3, 3, 3, 2], [1, 3, 3, 6], {
    stride: 2,
    padding: 1,
  }),
];

export const cases: OpCase[] = [
  ...plain,
  ...residuals,
  activated('relu6', [1, 6, 7, 4], [3, 3, 4, 1], { padding: 'same', activation: 'relu6' }),
  activated('relu, two outputs', [1, 5, 5, 3], [3, 3, 3, 2], { stride: 2, activation: 'relu' }),
  activated('sigmoid', [1, 4, 5, 2], [3, 3, 2, 1], { activation: 'sigmoid' }),
];

export const composedCases: OpCase[] = [
  activated('silu', [1, 6, 7, 4], [3, 3, 4, 1], { padding: 'same', activation: 'silu' }),
];

export const exactCases: OpCase[] = [
  ...plain,
  ...residuals,
  ...residuals.map(({ title, inputs, options }) => ({
    title: `${title} activation=relu`,
    inputs,
    options: { ...options, activation: 'relu' },
  })),
].map(withIntegers);

function refused(
  note: string,
  x: number[],
  w: number[],
  options: Record<string, unknown>,
  ...parts: string[]
): ErrorCase {
  const inputs = { x: { shape: x }, w: { shape: w } };
  return errorCase(note, inputs, options, says('depthwiseConv2d', ...parts));
}

const x4 = [1, 8, 8, 4];
const w4 = [3, 3, 4, 1];

export const errorCases: ErrorCase[] = [
  refused('channels differ', x4, [3, 3, 3, 1], {}, labelled('x', x4), labelled('w', [3, 3, 3, 1])),
  refused('x is no batch of images', [8, 8, 4], w4, {}, labelled('x', [8, 8, 4])),
  refused('kernel larger than the image', [1, 2, 8, 4], w4, {}, 'R=3', 'H=2'),
  refused('stride 0', x4, w4, { stride: 0 }, 'stride', 'got 0'),
  errorCase(
    'bias of another length',
    { x: { shape: x4 }, w: { shape: [3, 3, 4, 2] }, bias: { shape: [4] } },
    {},
    says('depthwiseConv2d', 'bias has 4', '\\b8\\b'),
  ),
  errorCase(
    'residual of another shape',
    { x: { shape: x4 }, w: { shape: w4 }, residual: { shape: [1, 6, 6, 1] } },
    {},
    says('depthwiseConv2d', 'residual must have the shape', labelled('residual', [1, 6, 6, 1])),
  ),
];
