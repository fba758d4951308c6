/** Every op's reference by its file stem: the one list the tests walk. */
import { binaryReference } from './binary.js';
import { conv2dReference } from './conv2d.js';
import { dropoutReference } from './dropout.js';
import { matmulReference } from './matmul.js';
import { pool2dReference } from './pool2d.js';
import { softmaxCrossEntropyReference } from './softmax_cross_entropy.js';
import type { Reference } from './types.js';
import { unaryReference } from './unary.js';

/** A reference whose options come as data, from test/cases. */
export type AnyReference = Reference<Record<string, unknown>>;

export const references = {
  binary: binaryReference as AnyReference,
  conv2d: conv2dReference as AnyReference,
  dropout: dropoutReference as AnyReference,
  matmul: matmulReference as AnyReference,
  pool2d: pool2dReference as AnyReference,
  softmax_cross_entropy: softmaxCrossEntropyReference as AnyReference,
  unary: unaryReference as AnyReference,
};
