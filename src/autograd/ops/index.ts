import type { OpRecord } from '../record.js';
import { argMax, argMin } from './arg_max.js';
import { augment } from './augment.js';
import { batchNorm } from './batch_norm.js';
import { binaryRecords } from './binary.js';
import { binaryCrossEntropy } from './binary_cross_entropy.js';
import { cast } from './cast.js';
import { compareRecords } from './compare.js';
import { concat } from './concat.js';
import { conv2d } from './conv2d.js';
import { conv2dTranspose } from './conv2d_transpose.js';
import { dense } from './dense.js';
import { depthwiseConv2d } from './depthwise_conv2d.js';
import { dropout } from './dropout.js';
import { gather } from './gather.js';
import { globalAvgPool2d, globalMaxPool2d } from './global_pool2d.js';
import { groupNorm, instanceNorm, layerNorm } from './group_norm.js';
import { matmul } from './matmul.js';
import { mseLoss } from './mse_loss.js';
import { nllLoss } from './nll_loss.js';
import { oneHot } from './one_hot.js';
import { pad } from './pad.js';
import { avgPool2d, maxPool2d, maxPool2dIndices } from './pool2d.js';
import { reduceRecords } from './reduce.js';
import { reshape } from './reshape.js';
import { resize } from './resize.js';
import { slice } from './slice.js';
import { logSoftmax, softmax } from './softmax.js';
import { softmaxCrossEntropy } from './softmax_cross_entropy.js';
import { takeAlongAxis } from './take_along_axis.js';
import { topK } from './top_k.js';
import { transpose } from './transpose.js';
import { unaryRecords } from './unary.js';
import { where } from './where.js';

/** Every op record by its name: the one list that the op list, the docs and the tests walk. */
export const records = {
  argmax: argMax,
  argmin: argMin,
  augment,
  avgPool2d,
  batchNorm,
  ...binaryRecords,
  binaryCrossEntropy,
  cast,
  ...compareRecords,
  concat,
  conv2d,
  conv2dTranspose,
  dense,
  depthwiseConv2d,
  dropout,
  gather,
  globalAvgPool2d,
  globalMaxPool2d,
  groupNorm,
  instanceNorm,
  layerNorm,
  logSoftmax,
  matmul,
  maxPool2d,
  maxPool2dIndices,
  mseLoss,
  nllLoss,
  oneHot,
  pad,
  ...reduceRecords,
  reshape,
  resize,
  slice,
  softmax,
  softmaxCrossEntropy,
  takeAlongAxis,
  topK,
  transpose,
  ...unaryRecords,
  where,
} as unknown as Readonly<Record<string, OpRecord>>;
