/** Where windows of convolutions and pools fall (arXiv:1603.07285), one spatial axis at a time. */

/** One number for both axes, or [height, width]. */
export type Pair = number | readonly [number, number];

/** 'same' as TensorFlow has it, 'valid' = none, one number, [height, width], or [[top, bottom], [left, right]]. */
export type Padding =
  | 'same'
  | 'valid'
  | number
  | readonly [number, number]
  | readonly [readonly [number, number], readonly [number, number]];

/** One spatial axis: output p, tap r reads input p·stride − before + r·dilation where that lies inside. */
export interface WindowAxis {
  length: number;
  kernel: number;
  stride: number;
  dilation: number;
  before: number;
  after: number;
  outputs: number;
}

/** The number meant for one of the two spatial axes. */
export function pairAt(pair: Pair, axis: 0 | 1): number {
  return typeof pair === 'number' ? pair : pair[axis];
}

/**
 * Padding before and after. 'same' gives ⌈length/stride⌉ outputs; where the total is odd the extra element goes after
 * (to the bottom or right).
 */
export function paddingAt(
  padding: Padding,
  axis: 0 | 1,
  length: number,
  extent: number,
  stride: number,
): [number, number] {
  if (padding === 'valid') return [0, 0];
  if (padding === 'same') {
    const outputs = Math.ceil(length / stride);
    const total = Math.max((outputs - 1) * stride + extent - length, 0);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  }
  if (typeof padding === 'number') return [padding, padding];
  const side = padding[axis];
  return typeof side === 'number' ? [side, side] : [side[0], side[1]];
}

/**
 * Windows along one axis: outputs = ⌊(length + before + after − (kernel − 1)·dilation − 1) / stride⌋ + 1; with ceilMode ⌈ ⌉,
 * less one where the last window would begin behind the input.
 */
export function windowAxis(
  axis: 0 | 1,
  length: number,
  kernel: number,
  options: { stride?: Pair; padding?: Padding; dilation?: Pair; ceilMode?: boolean },
): WindowAxis {
  const stride = pairAt(options.stride ?? 1, axis);
  const dilation = pairAt(options.dilation ?? 1, axis);
  const extent = (kernel - 1) * dilation + 1;
  const [before, after] = paddingAt(options.padding ?? 'valid', axis, length, extent, stride);
  const steps = (length + before + after - extent) / stride;
  let outputs = (options.ceilMode ? Math.ceil(steps) : Math.floor(steps)) + 1;
  if (options.ceilMode && (outputs - 1) * stride >= length + before) outputs--;
  return { length, kernel, stride, dilation, before, after, outputs };
}

/** Input position of a tap, or −1 where it falls on padding. */
export function tapPosition(axis: WindowAxis, output: number, tap: number): number {
  const position = output * axis.stride - axis.before + tap * axis.dilation;
  return position < axis.length ? position : -1;
}
