export { noGrad } from './autograd/tape.js';
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
} from './gpu/errors.js';
export { ops, type InputShapes, type OpEntry } from './ops/index.js';
export { Tensor, type NestedNumbers, type TypedArray } from './tensor.js';
