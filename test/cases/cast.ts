/** Shapes of cast. Its results are exact in every case. */
import {
  errorCase,
  labelled,
  opCase,
  says,
  type ErrorCase,
  type InputSpec,
  type OpCase,
} from './types.js';

function converted(note: string, x: InputSpec, dtype: string): OpCase {
  return opCase(`${x.dtype ?? 'f32'} to ${dtype}, ${note}`, { x }, { dtype });
}

export const cases: OpCase[] = [
  converted('unchanged', { shape: [2, 3, 5] }, 'f32'),
  converted('labels', { shape: [9], dtype: 'i32', fill: 'integers' }, 'f32'),
  converted('a matrix', { shape: [5, 13], dtype: 'u32', fill: 'labels', max: 20 }, 'f32'),
  converted('fractions are cut off', { shape: [65], range: [-9, 9] }, 'i32'),
  converted('fractions are cut off', { shape: [3, 7], fill: 'positive', range: [0, 9] }, 'u32'),
  converted('masks', { shape: [33], dtype: 'u32', fill: 'mask' }, 'i32'),
  converted(
    'positive numbers',
    { shape: [6], dtype: 'i32', fill: 'integers', range: [0, 9] },
    'u32',
  ),
];

export const exactCases: OpCase[] = cases;

/** Every conversion between numeric types is allowed. */
export const errorCases: ErrorCase[] = [
  errorCase(
    'no such type',
    { x: { shape: [2, 3] } },
    { dtype: 'f64' },
    says('cast', 'dtype', 'f64', labelled('x', [2, 3])),
  ),
  errorCase(
    'a scale that is no number',
    { x: { shape: [4] } },
    { dtype: 'f32', scale: NaN },
    says('cast', 'scale', 'NaN'),
  ),
  errorCase('empty', { x: { shape: [0] } }, { dtype: 'i32' }, says('cast', labelled('x', [0]))),
];
