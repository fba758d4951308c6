/** Shapes and settings of augment. What an image is dealt follows from the draw, which the test hands to the reference. */
import { errorCase, labelled, opCase, says, type ErrorCase, type OpCase } from './types.js';

type Options = Record<string, unknown>;

function pictures(note: string, shape: number[], options: Options = {}): OpCase {
  return opCase(note, { images: { shape, dtype: 'u8', fill: 'labels', max: 256 } }, options);
}

const everything = {
  flip: 0.5,
  shift: [0.1, 0.2],
  rotation: 25,
  zoom: 0.3,
  brightness: 0.4,
  gridDistortion: { limit: 0.5, steps: 4 },
  elastic: { strength: 0.1, smoothness: 0.15 },
};

const alone: Record<string, Options> = {
  flip: { flip: 0.5 },
  'shift of both axes': { shift: 0.3 },
  'shift along the width': { shift: [0, 0.4] },
  'all of the size shifted': { shift: 1 },
  rotation: { rotation: 30 },
  'rotation all the way': { rotation: 180 },
  zoom: { zoom: 0.5 },
  'zoom far out': { zoom: 0.95 },
  brightness: { brightness: 1 },
  'grid distortion': { gridDistortion: {} },
  'grid of one step': { gridDistortion: { steps: 1 } },
  'grid of many odd steps': { gridDistortion: { limit: 0.9, steps: 31 } },
  elastic: { elastic: {} },
  'elastic in one span': { elastic: { strength: 0.3, smoothness: 1 } },
  'elastic in many spans': { elastic: { strength: 0.05, smoothness: 0.02 } },
};

export const cases: OpCase[] = [
  pictures('cast', [2, 5, 7, 3]),
  pictures('one pixel', [3, 1, 1, 1], { settings: everything }),
  pictures('one pixel enlarged', [2, 1, 1, 3], { size: [3, 2] }),
  pictures('enlarged by odd factors', [2, 5, 3, 3], { size: [12, 11] }),
  pictures('enlarged sevenfold', [1, 8, 8, 3], { size: [56, 56] }),
  pictures('made smaller', [2, 9, 11, 4], { size: [4, 5] }),
  pictures('other proportions', [1, 6, 6, 1], { size: [13, 2] }),
  pictures('normalised', [2, 4, 5, 3], {
    mean: [0.485, 0.456, 0.406],
    standardDeviation: [0.229, 0.224, 0.225],
  }),
  pictures('normalised in bytes, displaced', [2, 6, 5, 2], {
    scale: 1,
    mean: [127, 10],
    standardDeviation: [128, 3],
    settings: everything,
  }),
  ...Object.entries(alone).map(([note, settings]) => pictures(note, [4, 9, 7, 3], { settings })),
  ...['nearest', 'constant', 'reflect'].flatMap((fill) => [
    pictures('everything', [5, 13, 10, 3], { settings: { ...everything, fill, fillValue: 0.5 } }),
    pictures('far outside', [4, 5, 6, 1], {
      settings: { shift: 1, rotation: 180, zoom: 0.9, fill },
    }),
    pictures('everything, enlarged', [3, 8, 9, 4], {
      size: [21, 20],
      settings: { ...everything, fill },
    }),
    pictures('everything, smaller', [3, 17, 16, 1], {
      size: [7, 8],
      settings: { ...everything, fill, fillValue: 1 },
    }),
  ]),
  pictures('each by its own chance', [16, 6, 6, 3], {
    settings: {
      ...everything,
      gridDistortion: { probability: 0.5 },
      elastic: { probability: 0.5 },
      probabilities: { shift: 0.5, rotation: 0.5, zoom: 0.5, brightness: 0.5 },
    },
  }),
  pictures('not training', [2, 5, 7, 3], { settings: everything, training: false }),
];

/** Sizes that double or stay, so that all weights are fractions of 16, and bytes that stay bytes. */
export const exactCases: OpCase[] = [
  pictures('bytes as they are', [3, 5, 7, 3], { scale: 1 }),
  pictures('mirrored or not', [8, 5, 7, 3], { scale: 1, settings: { flip: 0.5 } }),
  pictures('mirrored, even width', [3, 4, 6, 4], { scale: 1, settings: { flip: 1 } }),
  pictures('doubled', [2, 5, 7, 3], { scale: 1, size: [10, 14] }),
  pictures('fourfold and halved', [2, 6, 4, 1], { scale: 1, size: [3, 16] }),
  ...['nearest', 'constant', 'reflect'].map((fill) =>
    pictures('displaced at no chance', [4, 5, 6, 2], {
      scale: 1,
      settings: {
        flip: 0.5,
        shift: 0.3,
        rotation: 90,
        zoom: 0.5,
        brightness: 0.5,
        probabilities: { shift: 0, rotation: 0, zoom: 0, brightness: 0 },
        gridDistortion: { probability: 0 },
        elastic: { probability: 0 },
        fill,
      },
    }),
  ),
];

const shape = [2, 4, 6, 3];

function refused(note: string, options: Options, ...parts: string[]): ErrorCase {
  const images = { images: { shape, dtype: 'u8' as const } };
  return errorCase(note, images, options, says('augment', ...parts));
}

/** Settings are refused as what a command line says is. */
function refusedSettings(note: string, settings: Options, ...parts: string[]): ErrorCase {
  return { ...refused(note, { settings }, ...parts), error: 'UsageError' };
}

export const errorCases: ErrorCase[] = [
  errorCase(
    'floats',
    { images: { shape, dtype: 'f32' } },
    {},
    says('augment', 'u8', 'f32', labelled('images', shape)),
  ),
  errorCase(
    'flat without imageShape',
    { images: { shape: [144], dtype: 'u8' } },
    {},
    says('augment', '4 dimensions', 'imageShape'),
  ),
  refused('no whole image', { imageShape: [5, 6, 3] }, '\\[5, 6, 3\\]', '144 bytes'),
  refused('too many channels', { imageShape: [4, 3, 6] }, '1 to 4 channels', 'got 6'),
  refused('no size', { size: [0, 8] }, 'size', '\\[0, 8\\]'),
  refused('scale', { scale: 0 }, 'scale', 'got 0', '1 / 255'),
  refused('mean', { mean: [0.5] }, 'mean', '3 numbers', '\\[0.5\\]'),
  refused('deviation', { standardDeviation: [1, 0, 1] }, 'standardDeviation', '\\[1, 0, 1\\]'),
  refusedSettings('flip', { flip: 1.5 }, 'probability of flip', '\\[0, 1\\]', '1.5'),
  refusedSettings('shift', { shift: [0.1, -0.1] }, 'shift', '\\[0, 1\\]', '-0.1'),
  refusedSettings('rotation', { rotation: 181 }, 'rotation', '\\[0, 180\\]', '181'),
  refusedSettings('zoom', { zoom: 1 }, 'zoom', '\\[0, 0.95\\]', 'got 1'),
  refusedSettings('brightness', { brightness: NaN }, 'brightness', 'NaN'),
  refusedSettings('limit', { gridDistortion: { limit: 1 } }, 'limit of grid', '0.95'),
  refusedSettings('steps', { gridDistortion: { steps: 2.5 } }, 'steps of grid', 'whole', '2.5'),
  refusedSettings('smoothness', { elastic: { smoothness: 0 } }, 'smoothness of elastic', '0.02'),
  refusedSettings('fill', { fill: 'wrap' }, 'fill', 'nearest, constant, reflect', 'wrap'),
];
