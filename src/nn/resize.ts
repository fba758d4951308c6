import type { ResizeOptions } from '../autograd/ops/resize.js';
import type { Pair } from '../kernels/lib/window_geometry.js';
import { resize } from '../ops/resize.js';
import type { Tensor } from '../tensor.js';
import { Module, nonDefaults } from './module.js';

type Interpolation = Pick<ResizeOptions, 'mode' | 'alignCorners'>;

/** Images enlarged by a factor, or made smaller: [N H W C] → [N ⌊H·scale⌋ ⌊W·scale⌋ C]. See ops.resize. */
export class Upsample extends Module {
  constructor(readonly options: Interpolation & { scale: Pair }) {
    super();
  }

  forward(x: Tensor): Tensor {
    return resize(x, this.options);
  }

  override describe(): string {
    return nonDefaults({ ...this.options }, interpolationDefaults);
  }
}

/** Images of a given size: [N H W C] → [N P Q C]. See ops.resize. */
export class Resize extends Module {
  constructor(readonly options: Interpolation & { size: Pair }) {
    super();
  }

  forward(x: Tensor): Tensor {
    return resize(x, this.options);
  }

  override describe(): string {
    return nonDefaults({ ...this.options }, interpolationDefaults);
  }
}

const interpolationDefaults = { mode: 'nearest', alignCorners: false };
