import type { Padding, Pair } from '../kernels/lib/window_geometry.js';
import { avgPool2d, globalAvgPool2d, globalMaxPool2d, maxPool2d } from '../ops/pooling.js';
import type { Tensor } from '../tensor.js';
import { Module, nonDefaults } from './module.js';

export interface Pool2dLayerOptions {
  size: Pair;
  /** Default: the size. */
  stride?: Pair;
  /** Default 'valid'. */
  padding?: Padding;
  /** Distance of the pixels of a window. Default 1. */
  dilation?: Pair;
  /** Keeps a last window that extends past the image. Default false. */
  ceilMode?: boolean;
}

/** The largest value of each window: [N H W C] → [N P Q C]. */
export class MaxPool2d extends Module {
  constructor(readonly options: Pool2dLayerOptions) {
    super();
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.options);
  }

  override describe(): string {
    return describePooling(this.options);
  }
}

/** The mean of each window; padding is left out of it unless countIncludePad. */
export class AvgPool2d extends Module {
  constructor(readonly options: Pool2dLayerOptions & { countIncludePad?: boolean }) {
    super();
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.options);
  }

  override describe(): string {
    return describePooling(this.options);
  }
}

/** The mean of each channel over the image: [N H W C] → [N C]. */
export class GlobalAvgPool2d extends Module {
  forward(x: Tensor): Tensor {
    return globalAvgPool2d(x);
  }
}

/** The largest value of each channel of an image: [N H W C] → [N C]. */
export class GlobalMaxPool2d extends Module {
  forward(x: Tensor): Tensor {
    return globalMaxPool2d(x);
  }
}

function describePooling(options: Pool2dLayerOptions): string {
  const defaults = {
    ...{ stride: options.size, padding: 'valid', dilation: 1 },
    ...{ ceilMode: false, countIncludePad: false },
  };
  return nonDefaults({ ...options }, defaults);
}
