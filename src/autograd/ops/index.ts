import type { OpRecord } from '../record.js';
import { conv2d } from './conv2d.js';
import { dense } from './dense.js';
import { dropout } from './dropout.js';
import { matmul } from './matmul.js';
import { avgPool2d, maxPool2d } from './pool2d.js';
import { reshape } from './reshape.js';

/** Every op record by its name: the one list that the op list, the docs and the tests walk. */
export const records = {
  avgPool2d,
  conv2d,
  dense,
  dropout,
  matmul,
  maxPool2d,
  reshape,
} satisfies Record<string, unknown> as unknown as Readonly<Record<string, OpRecord>>;
