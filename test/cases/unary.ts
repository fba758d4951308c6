/** Shapes and domains of the unary ops. */
import { errorCase, opCase, says, type ErrorCase, type OpCase } from './types.js';

type Domain = { range?: [number, number]; kinks?: number[]; fill?: 'positive' | 'uniform' };

/** Each op over an odd shape, and over one element more than a workgroup of 64. */
function domainCases(
  op: string,
  domain: Domain = {},
  options: Record<string, unknown> = {},
): OpCase[] {
  const spec = { fill: 'uniform' as const, range: [-4, 4] as [number, number], ...domain };
  return [
    opCase(op, { x: { shape: [2, 3, 5], ...spec } }, { op, ...options }),
    opCase(op, { x: { shape: [65], ...spec } }, { op, ...options }),
  ];
}

export const cases: OpCase[] = [
  ...domainCases('relu', { kinks: [0] }),
  ...domainCases('relu6', { kinks: [0, 6], range: [-2, 8] }),
  ...domainCases('leakyRelu', { kinks: [0] }),
  ...domainCases('leakyRelu', { kinks: [0] }, { alpha: 0.3 }),
  ...domainCases('elu', { kinks: [0] }),
  ...domainCases('elu', { kinks: [0] }, { alpha: 1.7 }),
  ...domainCases('gelu'),
  ...domainCases('gelu', {}, { approximate: 'tanh' }),
  ...domainCases('sigmoid', { range: [-9, 9] }),
  ...domainCases('silu', { range: [-9, 9] }),
  ...domainCases('hardSwish', { kinks: [-3, 3], range: [-5, 5] }),
  ...domainCases('tanh'),
  ...domainCases('softplus', { range: [-9, 9] }),
  ...domainCases('exp'),
  ...domainCases('log', { fill: 'positive', range: [0.1, 6] }),
  ...domainCases('sqrt', { fill: 'positive', range: [0.1, 9] }),
  ...domainCases('square'),
  ...domainCases('abs', { kinks: [0] }),
  ...domainCases('neg'),
  ...domainCases('clip', { kinks: [-1, 2] }, { min: -1, max: 2 }),
  ...domainCases('clip', { kinks: [0.5] }, { min: 0.5 }),
  ...domainCases('clip', { kinks: [0.5] }, { max: 0.5 }),
  opCase('images', { x: { shape: [1, 7, 9, 3] } }, { op: 'silu' }),
  opCase('a scalar', { x: { shape: [] } }, { op: 'square' }),
  opCase('one element', { x: { shape: [1] } }, { op: 'sigmoid' }),
  opCase('several workgroups', { x: { shape: [3, 257], kinks: [0] } }, { op: 'relu' }),
  opCase('sigmoid far out', { x: { shape: [9], range: [-40, 40] } }, { op: 'sigmoid' }),
  opCase('softplus far out', { x: { shape: [9], range: [-100, 100] } }, { op: 'softplus' }),
];

/** Kinks included: integers hit 0, 3, 6 and the bounds of clip. */
export const exactCases: OpCase[] = [
  { op: 'relu' },
  { op: 'relu6' },
  { op: 'leakyRelu', alpha: 0.5 },
  { op: 'square' },
  { op: 'abs' },
  { op: 'neg' },
  { op: 'clip', min: -2, max: 5 },
].map((options) =>
  opCase('integers', { x: { shape: [3, 67], fill: 'integers', range: [-8, 8] } }, options),
);

export const errorCases: ErrorCase[] = [
  errorCase(
    'bounds the wrong way round',
    { x: { shape: [4] } },
    { op: 'clip', min: 2, max: 1 },
    says('clip', 'min', '\\b2\\b', 'max', '\\b1\\b'),
  ),
];
