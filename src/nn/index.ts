export {
  ELU,
  GELU,
  HardSwish,
  LeakyReLU,
  LogSoftmax,
  ReLU,
  ReLU6,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
} from './activation.js';
export { Add, SqueezeExcite, type SqueezeExciteOptions } from './combine.js';
export {
  Conv2d,
  DepthwiseConv2d,
  type Conv2dLayerOptions,
  type DepthwiseConv2dLayerOptions,
} from './conv.js';
export { convBatchNorm, foldsBatchNorm, type ConvLayer } from './conv_batch_norm.js';
export { ConvTranspose2d, type ConvTranspose2dOptions } from './conv_transpose.js';
export { Dense, type DenseOptions } from './dense.js';
export { Dropout, StochasticDepth } from './dropout.js';
export {
  moduleGraph,
  type GraphEdge,
  type GraphGroup,
  type GraphNode,
  type ModuleGraph,
} from './graph.js';
export { foldRepeats, type FoldedGraph, type FoldedGroup } from './graph_fold.js';
export {
  GroupNorm,
  InstanceNorm2d,
  LayerNorm,
  type GroupNormLayerOptions,
  type InstanceNorm2dOptions,
  type LayerNormLayerOptions,
} from './group_norm.js';
export * as init from './init.js';
export { Module, watchModules, type StateValue } from './module.js';
export { BatchNorm2d, type BatchNorm2dOptions } from './normalization.js';
export { Buffer, Parameter } from './parameter.js';
export {
  AvgPool2d,
  GlobalAvgPool2d,
  GlobalMaxPool2d,
  MaxPool2d,
  type Pool2dLayerOptions,
} from './pooling.js';
export { recompute } from './recompute.js';
export { recomputeSegments } from './recompute_plan.js';
export { Resize, Upsample } from './resize.js';
export { Sequential } from './sequential.js';
export type { LayerSummary, Summary, SummaryFigures } from './summary.js';
export {
  DepthToSpace,
  Flatten,
  ReflectionPad2d,
  ReplicationPad2d,
  SpaceToDepth,
  ZeroPad2d,
} from './shape.js';
