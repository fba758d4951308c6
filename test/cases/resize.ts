/** Shapes of resize: x [N H W C]. */
import {
  errorCase,
  labelled,
  opCase,
  says,
  withIntegers,
  type ErrorCase,
  type OpCase,
} from './types.js';

type Sizes = [note: string, x: number[], options: Record<string, unknown>];

const sizes: Sizes[] = [
  ['twice the size', [2, 3, 4, 3], { scale: 2 }],
  ['twice the size, in vectors', [1, 4, 3, 8], { scale: 2 }],
  ['odd sizes, larger', [1, 5, 7, 2], { size: [8, 11] }],
  ['odd sizes, smaller', [2, 9, 7, 4], { size: [4, 3] }],
  ['smaller rows, more columns', [1, 8, 3, 5], { size: [3, 10] }],
  ['half the size', [1, 6, 8, 1], { scale: 0.5 }],
  ['a fraction', [1, 5, 6, 3], { scale: [1.5, 0.7] }],
  ['to one pixel', [1, 5, 4, 2], { size: 1 }],
  ['from one pixel', [2, 1, 1, 4], { size: [3, 2] }],
  ['the same size', [1, 4, 5, 3], { size: [4, 5] }],
  ['several workgroups', [2, 6, 5, 7], { size: [13, 12] }],
];

const all = sizes.flatMap(([note, shape, options]) =>
  ['nearest', 'bilinear'].flatMap((mode) =>
    [false, true].map((alignCorners) =>
      opCase(`${note}, ${mode}`, { x: { shape } }, { mode, alignCorners, ...options }),
    ),
  ),
);

export const cases: OpCase[] = all;

/** Nearest pixels are copied; at twice the size, weights are sixteenths. */
export const exactCases: OpCase[] = all
  .filter(({ options: { mode, scale, alignCorners } }) => {
    return mode === 'nearest' || (scale === 2 && !alignCorners);
  })
  .map(withIntegers);

function refused(note: string, options: Record<string, unknown>, ...parts: string[]): ErrorCase {
  const shape = [1, 4, 4, 3];
  return errorCase(note, { x: { shape } }, options, says('resize', labelled('x', shape), ...parts));
}

export const errorCases: ErrorCase[] = [
  refused('no size', {}, 'size or scale'),
  refused('size and scale', { size: 3, scale: 2 }, 'size or scale'),
  refused('a size of 0', { size: [0, 3] }, 'size', 'got \\[0, 3\\]'),
  refused('nothing left', { scale: 0.2 }, 'scale', '0\\.2'),
  refused('scale NaN', { scale: NaN }, 'scale', 'got NaN'),
  refused('unknown mode', { scale: 2, mode: 'cubic' }, 'mode', 'cubic'),
  errorCase(
    'no batch of images',
    { x: { shape: [8, 8, 3] } },
    { scale: 2 },
    says('resize', labelled('x', [8, 8, 3])),
  ),
];
