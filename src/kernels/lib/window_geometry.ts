import { ShapeError, valueText } from '../../errors.js';

/* Geometry of the windows of convolution and pooling. */

export type Padding =
  | 'same'
  | 'valid'
  | number
  | readonly [number, number]
  | readonly [readonly [number, number], readonly [number, number]];

export type Pair = number | readonly [number, number];

export function pairOf(op: string, name: string, value: Pair, least = 1): [number, number] {
  const pair: [number, number] = typeof value === 'number' ? [value, value] : [value[0], value[1]];
  if (pair.length !== 2 || !pair.every((n) => Number.isInteger(n) && n >= least)) {
    throw new ShapeError(
      `${op}: ${name} must be ${least === 1 ? 'a positive whole number' : 'a whole number of at least 0'} or two of them, got ${valueText(value)}`,
    );
  }
  return pair;
}

interface AxisRule {
  op: string;
  letters: readonly [input: string, filter: string];
  size: number;
  filter: number;
  stride: number;
  dilation: number;
  /** Whether a last window that extends past the padding counts. */
  ceilMode: boolean;
}

/**
 * Padding and output size of one axis. 'same' follows TensorFlow: the output has
 * ceil(size / stride) elements and the odd one of padding goes to the end.
 */
function padAxis(rule: AxisRule, padding: 'same' | 'valid' | readonly [number, number]) {
  const { op, letters, size, filter, stride, dilation, ceilMode } = rule;
  const extent = (filter - 1) * dilation + 1;
  let before = 0;
  let after = 0;
  if (padding === 'same') {
    const out = Math.ceil(size / stride);
    const total = Math.max(0, (out - 1) * stride + extent - size);
    before = Math.floor(total / 2);
    after = total - before;
  } else if (padding !== 'valid') [before, after] = padding;
  const padded = size + before + after;
  if (extent > padded) {
    throw new ShapeError(
      `${op}: the kernel covers ${extent} along ${letters[0]} (${letters[1]}=${filter}, dilation ${dilation}) but the padded input has ${padded} (${letters[0]}=${size}, padding ${before}+${after})`,
      "use a smaller kernel or dilation, or padding: 'same'",
    );
  }
  const steps = (padded - extent) / stride;
  if (!ceilMode) return { before, after, out: Math.floor(steps) + 1 };
  // A window must begin on the image or the padding in front of it.
  const out = Math.min(Math.ceil(steps), Math.ceil((size + before) / stride) - 1) + 1;
  return { before, after, out };
}

/** Padding and output size of both axes, from an op's options. */
export function windowGeometry(
  op: string,
  size: { h: number; w: number; r: number; s: number },
  options: { stride?: Pair; padding?: Padding; dilation?: Pair; ceilMode?: boolean },
) {
  const { ceilMode = false } = options;
  const [strideH, strideW] = pairOf(op, 'stride', options.stride ?? 1);
  const [dilationH, dilationW] = pairOf(op, 'dilation', options.dilation ?? 1);
  const [vertical, horizontal] = paddingPairs(op, options.padding ?? 'valid');
  const high = padAxis(
    {
      op,
      letters: ['H', 'R'],
      size: size.h,
      filter: size.r,
      stride: strideH,
      dilation: dilationH,
      ceilMode,
    },
    vertical,
  );
  const wide = padAxis(
    {
      op,
      letters: ['W', 'S'],
      size: size.w,
      filter: size.s,
      stride: strideW,
      dilation: dilationW,
      ceilMode,
    },
    horizontal,
  );
  return {
    ...{ strideH, strideW, dilationH, dilationW },
    ...{ padTop: high.before, padBottom: high.after, padLeft: wide.before, padRight: wide.after },
    ...{ p: high.out, q: wide.out },
  };
}

type AxisPadding = 'same' | 'valid' | readonly [number, number];

function paddingPairs(op: string, padding: Padding): readonly [AxisPadding, AxisPadding] {
  if (padding === 'same' || padding === 'valid') return [padding, padding];
  if (Array.isArray(padding) && padding.length === 2 && Array.isArray(padding[0])) {
    const [vertical, horizontal] = padding as unknown as [[number, number], [number, number]];
    return [pairOf(op, 'padding of H', vertical, 0), pairOf(op, 'padding of W', horizontal, 0)];
  }
  if (typeof padding === 'string') {
    throw new ShapeError(
      `${op}: padding must be 'same', 'valid', a number, [h, w] or [[top, bottom], [left, right]], got '${String(padding)}'`,
    );
  }
  const [high, wide] = pairOf(op, 'padding', padding as Pair, 0);
  return [
    [high, high],
    [wide, wide],
  ];
}
