export type { AugmentSettings } from './autograd/augment_settings.js';
export { augmentText, parseAugment } from './autograd/augment_text.js';
export { noGrad } from './autograd/recording.js';
export {
  createDevice,
  type Captured,
  type CaptureInput,
  type Device,
  type MemoryInfo,
  type TensorOptions,
} from './device.js';
export type { DeviceInfo, DeviceOptions } from './gpu/adapter.js';
export type { DType } from './gpu/array.js';
export {
  DataError,
  DeviceError,
  GradError,
  LimitError,
  ShaderError,
  ShapeError,
  TilegradError,
  TrainingError,
  UsageError,
} from './errors.js';
export type { TunedCandidate, TunedKernel, TuneReport } from './tune/report.js';
export type { TuneOptions } from './tune/tuner.js';
export * as models from './models/index.js';
export * as nn from './nn/index.js';
export { ops, type InputShapes, type OpEntry } from './ops/index.js';
export { withOperands, type OperandType } from './ops/mixed_precision.js';
export * as optim from './optim/index.js';
export type { HostValues, NestedNumbers, TypedArray } from './gpu/host_values.js';
export { Tensor } from './tensor.js';
