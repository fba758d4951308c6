import { ArrayHandle } from '../autograd/array_handle.js';
import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { outsideScopes, Tensor } from '../tensor.js';

/** A trained tensor: it has requiresGrad, belongs to no scope and lives until disposed. */
export class Parameter extends Tensor {
  /** A parameter with these initial values; it takes over their memory and disposes `values`. */
  static from(values: Tensor): Parameter {
    return Parameter.of(values.runtime, takenFrom(values));
  }

  /** @internal */
  static of(runtime: Runtime, array: GpuArray): Parameter {
    return outsideScopes(() => new Parameter(runtime, new ArrayHandle(array), null, true));
  }
}

/** A tensor that is saved with a model but not trained, such as a running mean. */
export class Buffer extends Tensor {
  /** A buffer with these initial values; it takes over their memory and disposes `values`. */
  static from(values: Tensor): Buffer {
    return Buffer.of(values.runtime, takenFrom(values));
  }

  /** @internal */
  static of(runtime: Runtime, array: GpuArray): Buffer {
    return outsideScopes(() => new Buffer(runtime, new ArrayHandle(array), null, false));
  }
}

function takenFrom(values: Tensor): GpuArray {
  const array = values.gpuArray.retain();
  values.dispose();
  return array;
}
