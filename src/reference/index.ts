/** Every op's reference by its file stem: the one list the tests walk. */
import { argMaxReference } from './arg_max.js';
import { augmentReference } from './augment.js';
import { batchNormReference } from './batch_norm.js';
import { binaryReference } from './binary.js';
import { binaryCrossEntropyReference } from './binary_cross_entropy.js';
import { castReference } from './cast.js';
import { compareReference } from './compare.js';
import { concatReference } from './concat.js';
import { conv2dReference } from './conv2d.js';
import { conv2dTransposeReference } from './conv2d_transpose.js';
import { denseReference } from './dense.js';
import { depthwiseConv2dReference } from './depthwise_conv2d.js';
import { dropoutReference } from './dropout.js';
import { gatherReference } from './gather.js';
import { globalPool2dReference } from './global_pool2d.js';
import { groupNormReference } from './group_norm.js';
import { matmulReference } from './matmul.js';
import { mseLossReference } from './mse_loss.js';
import { nllLossReference } from './nll_loss.js';
import { oneHotReference } from './one_hot.js';
import { padReference } from './pad.js';
import { pool2dReference } from './pool2d.js';
import { reduceReference } from './reduce.js';
import { reshapeReference } from './reshape.js';
import { resizeReference } from './resize.js';
import { sliceReference } from './slice.js';
import { softmaxReference } from './softmax.js';
import { softmaxCrossEntropyReference } from './softmax_cross_entropy.js';
import { takeAlongAxisReference } from './take_along_axis.js';
import { topKReference } from './top_k.js';
import { transposeReference } from './transpose.js';
import type { Reference } from './types.js';
import { unaryReference } from './unary.js';
import { whereReference } from './where.js';

/** A reference whose options come as data, from test/cases. */
export type AnyReference = Reference<Record<string, unknown>>;

export const references = {
  arg_max: argMaxReference as AnyReference,
  augment: augmentReference as AnyReference,
  batch_norm: batchNormReference as AnyReference,
  binary: binaryReference as AnyReference,
  binary_cross_entropy: binaryCrossEntropyReference as AnyReference,
  cast: castReference as AnyReference,
  compare: compareReference as AnyReference,
  concat: concatReference as AnyReference,
  conv2d: conv2dReference as AnyReference,
  conv2d_transpose: conv2dTransposeReference as AnyReference,
  dense: denseReference as AnyReference,
  depthwise_conv2d: depthwiseConv2dReference as AnyReference,
  dropout: dropoutReference as AnyReference,
  gather: gatherReference as AnyReference,
  global_pool2d: globalPool2dReference as AnyReference,
  group_norm: groupNormReference as AnyReference,
  matmul: matmulReference as AnyReference,
  mse_loss: mseLossReference as AnyReference,
  nll_loss: nllLossReference as AnyReference,
  one_hot: oneHotReference as AnyReference,
  pad: padReference as AnyReference,
  pool2d: pool2dReference as AnyReference,
  reduce: reduceReference as AnyReference,
  reshape: reshapeReference as AnyReference,
  resize: resizeReference as AnyReference,
  slice: sliceReference as AnyReference,
  softmax: softmaxReference as AnyReference,
  softmax_cross_entropy: softmaxCrossEntropyReference as AnyReference,
  take_along_axis: takeAlongAxisReference as AnyReference,
  top_k: topKReference as AnyReference,
  transpose: transposeReference as AnyReference,
  unary: unaryReference as AnyReference,
  where: whereReference as AnyReference,
};
