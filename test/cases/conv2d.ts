/** Shapes of conv2d: x [N H W C], w [R S C/groups K], bias [K]. */
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

type Shape4 = [number, number, number, number];

/** A convolution without an activation; with `bias` it has one of K elements. */
function convolution(
  note: string,
  x: Shape4,
  w: Shape4,
  options: Record<string, unknown> = {},
  bias = false,
): OpCase {
  const inputs: Record<string, InputSpec> = { x: { shape: x }, w: { shape: w } };
  if (bias) inputs.bias = { shape: [w[3]] };
  return opCase(note, inputs, options);
}

/** Small products and a large bias keep every sum away from the kink at zero. */
function activated(note: string, x: Shape4, w: Shape4, options: Record<string, unknown>): OpCase {
  const inputs: Record<string, InputSpec> = {
    x: { shape: x, fill: 'uniform', range: [-0.2, 0.2] },
    w: { shape: w, fill: 'uniform', range: [-0.2, 0.2] },
    bias: { shape: [w[3]], fill: 'awayFromZero', range: [1, 2] },
  };
  return opCase(note, inputs, options);
}

const plain: OpCase[] = [
  convolution('1×1', [1, 5, 7, 3], [1, 1, 3, 5]),
  convolution('1×1, stride 2', [2, 7, 8, 4], [1, 1, 4, 8], { stride: 2 }),
  convolution('1×1, unequal stride', [2, 7, 9, 5], [1, 1, 5, 6], { stride: [3, 2] }, true),
  convolution('1×1, pixels and channels fill tiles', [1, 8, 8, 16], [1, 1, 16, 32], {}, true),
  convolution('1×1, one above the tiles', [1, 5, 13, 17], [1, 1, 17, 33]),
  convolution('3×3, odd sizes', [2, 7, 5, 3], [3, 3, 3, 5], { padding: 'same' }, true),
  convolution('3×3, channels of 4', [1, 6, 6, 4], [3, 3, 4, 8], { padding: 'valid' }),
  convolution('3×3, one below the tiles', [1, 7, 9, 15], [3, 3, 15, 31], { padding: 1 }),
  convolution('3×3, channels of 16', [2, 8, 8, 16], [3, 3, 16, 16], { padding: 'same' }, true),
  convolution('3×3, many channels', [3, 4, 4, 32], [3, 3, 32, 64], { padding: 1 }),
  convolution('3×3, ragged 4×4 output blocks', [1, 9, 11, 8], [3, 3, 8, 12], { padding: 1 }),
  convolution('stride 2 drops a column', [1, 8, 8, 3], [3, 3, 3, 4], { stride: 2 }),
  convolution("asymmetric 'same'", [2, 8, 6, 4], [3, 3, 4, 4], { stride: 2, padding: 'same' }),
  convolution(
    'asymmetric padding',
    [1, 6, 5, 3],
    [3, 3, 3, 4],
    {
      padding: [
        [0, 2],
        [1, 0],
      ],
    },
    true,
  ),
  convolution('unequal stride and padding', [1, 9, 6, 2], [3, 3, 2, 6], {
    stride: [2, 1],
    padding: [2, 1],
  }),
  convolution('stride 3 skips rows between taps', [1, 10, 11, 2], [2, 2, 2, 3], { stride: 3 }),
  convolution('dilation 2', [1, 9, 8, 4], [3, 3, 4, 4], { dilation: 2, padding: 'same' }),
  convolution('dilation 2, stride 2', [2, 10, 9, 3], [3, 3, 3, 5], { dilation: 2, stride: 2 }),
  convolution('unequal dilation', [1, 6, 9, 2], [2, 3, 2, 3], { dilation: [1, 3], padding: 1 }),
  convolution('groups 2', [2, 6, 5, 8], [3, 3, 4, 12], { groups: 2, padding: 1 }, true),
  convolution('groups 3, stride 2', [1, 8, 7, 6], [3, 3, 2, 9], {
    groups: 3,
    stride: 2,
    padding: 'same',
  }),
  convolution('groups = C', [1, 7, 6, 6], [3, 3, 1, 6], { groups: 6, padding: 'same' }),
  convolution('groups = C, K = 2C, dilation 2', [1, 8, 8, 4], [3, 3, 1, 8], {
    groups: 4,
    dilation: 2,
  }),
  convolution('5×5, one channel', [2, 12, 12, 1], [5, 5, 1, 32], { padding: 'same' }, true),
  opCase(
    '5×5, even image',
    { x: { shape: [1, 6, 6, 32], range: [-0.3, 0.3] }, w: { shape: [5, 5, 32, 8] } },
    { padding: 2 },
  ),
  convolution('7×7, stride 2', [1, 15, 17, 3], [7, 7, 3, 16], { stride: 2, padding: 3 }),
  convolution('1×3', [1, 5, 8, 4], [1, 3, 4, 4], { padding: [0, 1] }),
  convolution('kernel as large as the image', [2, 4, 5, 3], [4, 5, 3, 7]),
  convolution('kernel larger than the image', [1, 2, 3, 2], [3, 5, 2, 4], { padding: 'same' }),
];

/** A convolution with a bias and a residual of the output's shape, for every kind of kernel. */
function withResidual(
  note: string,
  x: Shape4,
  w: Shape4,
  y: Shape4,
  options: Record<string, unknown> = {},
): OpCase {
  const inputs = { x: { shape: x }, w: { shape: w }, bias: { shape: [w[3]] } };
  return opCase(note, { ...inputs, residual: { shape: y } }, options);
}

const residuals: OpCase[] = [
  withResidual('residual, channels of 8', [2, 6, 15, 8], [3, 3, 8, 12], [2, 6, 15, 12], {
    padding: 1,
  }),
  withResidual('residual, 1×1', [2, 5, 7, 16], [1, 1, 16, 36], [2, 5, 7, 36]),
  withResidual('residual, 1×1, a sum in slices', [1, 2, 2, 512], [1, 1, 512, 8], [1, 2, 2, 8]),
  withResidual('residual, groups and stride 2', [1, 9, 8, 6], [3, 3, 3, 10], [1, 5, 4, 10], {
    ...{ groups: 2, stride: 2, padding: 'same' },
  }),
  withResidual('residual, one channel', [2, 7, 9, 1], [5, 5, 1, 8], [2, 7, 9, 8], { padding: 2 }),
];

export const cases: OpCase[] = [
  ...plain,
  ...residuals,
  opCase(
    'residual and relu',
    {
      x: { shape: [1, 5, 6, 8], fill: 'uniform', range: [-0.1, 0.1] },
      w: { shape: [3, 3, 8, 8], fill: 'uniform', range: [-0.1, 0.1] },
      // The sums of products stay below 0.72, so that none is near the kink at zero.
      residual: { shape: [1, 5, 6, 8], fill: 'awayFromZero', range: [1, 2] },
    },
    { padding: 'same', activation: 'relu' },
  ),
  activated('relu', [2, 6, 7, 3], [3, 3, 3, 8], { padding: 'same', activation: 'relu' }),
  activated('relu6, stride 2', [1, 7, 7, 4], [3, 3, 4, 5], { stride: 2, activation: 'relu6' }),
  activated('leakyRelu, 1×1', [1, 4, 5, 8], [1, 1, 8, 6], { activation: 'leakyRelu' }),
  activated('elu, 8 channels', [2, 5, 6, 8], [3, 3, 8, 8], { padding: 1, activation: 'elu' }),
  activated('elu, groups 2', [1, 5, 5, 4], [3, 3, 2, 4], { groups: 2, activation: 'elu' }),
  activated('sigmoid, dilation 2', [1, 7, 6, 2], [3, 3, 2, 3], {
    dilation: 2,
    activation: 'sigmoid',
  }),
  activated('tanh', [1, 4, 4, 3], [3, 3, 3, 4], { padding: 1, activation: 'tanh' }),
];

export const composedCases: OpCase[] = [
  activated('silu', [1, 4, 5, 8], [1, 1, 8, 6], { activation: 'silu' }),
  activated('gelu', [1, 5, 5, 4], [3, 3, 4, 4], { activation: 'gelu' }),
  activated('hardSwish', [1, 4, 4, 3], [3, 3, 3, 4], { activation: 'hardSwish' }),
];

export const exactCases: OpCase[] = [
  ...plain,
  opCase(
    'relu',
    { x: { shape: [2, 6, 7, 3] }, w: { shape: [3, 3, 3, 8] }, bias: { shape: [8] } },
    { padding: 'same', activation: 'relu' },
  ),
  ...residuals,
  ...residuals.map(({ title, inputs, options }) => ({
    title: `${title} activation=relu`,
    inputs,
    options: { ...options, activation: 'relu' },
  })),
].map(withIntegers);

/** A refused convolution; the text must mention every part. */
function refused(
  note: string,
  x: number[],
  w: number[],
  options: Record<string, unknown>,
  ...parts: string[]
): ErrorCase {
  return errorCase(note, { x: { shape: x }, w: { shape: w } }, options, says('conv2d', ...parts));
}

const x4 = [1, 8, 8, 4];
const w4 = [3, 3, 4, 2];

export const errorCases: ErrorCase[] = [
  refused(
    'channels differ',
    [8, 32, 32, 4],
    [3, 3, 3, 16],
    {},
    'w has 3 input channels',
    'x has 4',
    labelled('x', [8, 32, 32, 4]),
    labelled('w', [3, 3, 3, 16]),
  ),
  refused('x is no batch of images', [32, 32, 4], w4, {}, labelled('x', [32, 32, 4])),
  refused('w is no filter bank', x4, [3, 4, 16], {}, labelled('w', [3, 4, 16])),
  refused('groups do not divide K', x4, [3, 3, 2, 5], { groups: 2 }, labelled('w', [3, 3, 2, 5])),
  refused('groups do not divide C', x4, [3, 3, 1, 6], { groups: 3 }, 'C=4', 'groups=3'),
  refused('kernel larger than the image', [1, 4, 4, 3], [5, 5, 3, 2], {}, 'R=5', 'H=4'),
  refused('dilated kernel too large', [1, 6, 6, 4], w4, { dilation: 3 }, '7', 'R=3', 'H=6'),
  refused('stride 0', x4, w4, { stride: 0 }, 'stride', 'got 0'),
  refused('fractional stride', x4, w4, { stride: 1.5 }, 'stride', 'got 1\\.5'),
  refused('dilation 0', x4, w4, { dilation: 0 }, 'dilation', 'got 0'),
  refused('negative padding', x4, w4, { padding: -1 }, 'padding', 'got -1'),
  refused('padding no one knows', x4, w4, { padding: 'full' }, 'padding', "'same'", 'full'),
  refused('empty batch', [0, 8, 8, 4], w4, {}, labelled('x', [0, 8, 8, 4])),
  errorCase(
    'bias of another length',
    { x: { shape: x4 }, w: { shape: [3, 3, 4, 16] }, bias: { shape: [8] } },
    {},
    says('conv2d', 'bias has 8', '\\b16\\b'),
  ),
  errorCase(
    'residual of another shape',
    { x: { shape: x4 }, w: { shape: w4 }, residual: { shape: [1, 8, 8, 2] } },
    {},
    says(
      ...(['conv2d', 'residual must have the shape of the output'] as const),
      ...['N=1 P=6 Q=6 K=2', labelled('residual', [1, 8, 8, 2]), labelled('x', x4), '\nfix: bring'],
    ),
  ),
  errorCase(
    'residual of another rank',
    { x: { shape: x4 }, w: { shape: w4 }, residual: { shape: [2] } },
    {},
    says('conv2d', 'residual must have 4 dimensions', labelled('residual', [2])),
  ),
];
