import {
  depthToSpace,
  flatten,
  pad,
  spaceToDepth,
  type DepthToSpaceOptions,
  type PadOptions,
} from '../ops/shape.js';
import type { Tensor } from '../tensor.js';
import { Module, nonDefaults } from './module.js';

/** [N, …] → [N, product of the rest]. */
export class Flatten extends Module {
  forward(x: Tensor): Tensor {
    return flatten(x);
  }
}

type Sides = readonly [before: number, after: number];

/** [N, …] padded in height and width: a number for all sides, or [[top, bottom], [left, right]]. */
abstract class Pad2d extends Module {
  protected abstract readonly mode: PadOptions['mode'];

  constructor(readonly padding: number | readonly [Sides, Sides]) {
    super();
  }

  forward(x: Tensor): Tensor {
    const { padding, mode } = this;
    const high: Sides = typeof padding === 'number' ? [padding, padding] : padding[0];
    const wide: Sides = typeof padding === 'number' ? high : padding[1];
    return pad(x, { padding: [[0, 0], high, wide, [0, 0]], mode });
  }

  override describe(): string {
    return JSON.stringify(this.padding);
  }
}

/** Pads images with zeros: a number for all sides, or [[top, bottom], [left, right]]. */
export class ZeroPad2d extends Pad2d {
  protected readonly mode = 'constant';
}

/** Pads images with their mirror image, without repeating the border pixel. See ops.pad. */
export class ReflectionPad2d extends Pad2d {
  protected readonly mode = 'reflect';
}

/** Pads images with their border pixels. See ops.pad. */
export class ReplicationPad2d extends Pad2d {
  protected readonly mode = 'edge';
}

/** Channels as blocks of pixels: [N H W B²·C] → [N H·B W·B C]. See ops.depthToSpace. */
export class DepthToSpace extends Module {
  constructor(readonly options: DepthToSpaceOptions) {
    super();
  }

  forward(x: Tensor): Tensor {
    return depthToSpace(x, this.options);
  }

  override describe(): string {
    return nonDefaults({ ...this.options }, { mode: 'DCR' });
  }
}

/** Blocks of pixels as channels: [N H·B W·B C] → [N H W B²·C]. See ops.spaceToDepth. */
export class SpaceToDepth extends Module {
  constructor(readonly options: DepthToSpaceOptions) {
    super();
  }

  forward(x: Tensor): Tensor {
    return spaceToDepth(x, this.options);
  }

  override describe(): string {
    return nonDefaults({ ...this.options }, { mode: 'DCR' });
  }
}
