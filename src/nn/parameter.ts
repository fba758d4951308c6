import { ArrayHandle } from '../autograd/array_handle.js';
import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { outsideScopes, Tensor } from '../tensor.js';

/** A tensor that is trained: it has requiresGrad, belongs to no scope and lives until disposed. */
export class Parameter extends Tensor {
  static of(runtime: Runtime, array: GpuArray): Parameter {
    return outsideScopes(() => new Parameter(runtime, new ArrayHandle(array), null, true));
  }
}

/** A tensor that is saved with a model but not trained, such as a running mean. */
export class Buffer extends Tensor {
  static of(runtime: Runtime, array: GpuArray): Buffer {
    return outsideScopes(() => new Buffer(runtime, new ArrayHandle(array), null, false));
  }
}
