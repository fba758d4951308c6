import { concat as concatRecord, type ConcatOptions } from '../autograd/ops/concat.js';
import { gather as gatherRecord, type GatherOptions } from '../autograd/ops/gather.js';
import { oneHot as oneHotRecord, type OneHotOptions } from '../autograd/ops/one_hot.js';
import { pad as padRecord, type PadOptions as PadRecordOptions } from '../autograd/ops/pad.js';
import { reshape as reshapeRecord } from '../autograd/ops/reshape.js';
import { slice as sliceRecord, type SliceOptions } from '../autograd/ops/slice.js';
import { transpose as transposeRecord, type TransposeOptions } from '../autograd/ops/transpose.js';
import { axisOf } from '../autograd/shapes.js';
import { ShapeError } from '../errors.js';
import { applyOp, Tensor } from '../tensor.js';

/**
 * The same elements in the same order under another shape.
 *
 * **Shapes** x of any shape → `shape`; one length may be −1 and is then computed.
 * **Gradients** dx is dy under x's shape. **Cost** none: memory is shared.
 * **Errors** ShapeError if the numbers of elements differ.
 * **Source** NumPy's reshape.
 *
 * @example
 * reshape(device.arange([6]), [2, -1]).array(); // [[0, 1, 2], [3, 4, 5]]
 */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  return applyOp(reshapeRecord, { x }, { shape });
}

/** [N, …] → [N, product of the rest]; see reshape. */
export function flatten(x: Tensor): Tensor {
  if (x.shape.length === 0) throw new ShapeError('flatten: x has no dimension');
  return reshape(x, [x.shape[0], x.size / x.shape[0]]);
}

/**
 * Without an axis of length 1, or without all of them.
 *
 * **Errors** ShapeError if the axis is longer than 1.
 */
export function squeeze(x: Tensor, { axis }: { axis?: number } = {}): Tensor {
  if (axis === undefined)
    return reshape(
      x,
      x.shape.filter((n) => n !== 1),
    );
  const index = axisOf('squeeze', axis, x.shape);
  if (x.shape[index] !== 1) {
    throw new ShapeError(
      `squeeze: axis ${axis} of x [${x.shape.join(' ')}] has length ${x.shape[index]}, expected 1`,
    );
  }
  return reshape(x, x.shape.toSpliced(index, 1));
}

/** With an axis of length 1 at `axis`; −1 adds it at the end. */
export function expandDims(x: Tensor, axis: number): Tensor {
  const rank = x.shape.length + 1;
  const index = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(index) || index < 0 || index >= rank) {
    throw new ShapeError(
      `expandDims: axis ${axis} does not fit x [${x.shape.join(' ')}], expected −${rank} … ${rank - 1}`,
    );
  }
  return reshape(x, x.shape.toSpliced(index, 0, 1));
}

export interface PadOptions extends PadRecordOptions {
  /**
   * What surrounds x: `value`, x mirrored at its border elements without repeating them ('reflect'), or
   * the border element repeated ('edge'). Default 'constant'.
   */
  mode?: 'constant' | 'reflect' | 'edge';
}

/**
 * Surrounds x with a constant, its mirror image or its border.
 *
 * y[i] = x[i − before] where that lies inside x, else `value`; with mode 'reflect' x[|i − before|] in
 * front and x[2·(L − 1) − (i − before)] behind, with 'edge' the first or last x
 *
 * **Shapes** x of any shape, padding [before, after] for each axis → before + length + after.
 * **Gradients** dx is the sum of dy over the places that x went to. **Cost** 4 bytes for each element of
 * x and y, for modes other than 'constant' once for each axis that is padded. **Saves** nothing.
 * **Errors** ShapeError if an axis has no padding or a negative one, where 'reflect' is to mirror L
 * or more elements, or for a value that the mode does not use.
 * **Source** NumPy's pad.
 *
 * @example
 * const x = device.tensor([[1, 2]]);
 * await ops.pad(x, { padding: [[0, 1], [1, 0]], value: 9 }).array(); // [[9, 1, 2], [9, 9, 9]]
 * const row = device.tensor([1, 2, 3]);
 * await ops.pad(row, { padding: [[2, 1]], mode: 'reflect' }).array(); // [3, 2, 1, 2, 3, 2]
 */
export function pad(x: Tensor, options: PadOptions): Tensor {
  const { mode = 'constant', ...rest } = options;
  if (mode === 'constant') return applyOp(padRecord, { x }, rest);
  if (mode !== 'reflect' && mode !== 'edge') {
    throw new ShapeError(
      `pad: mode must be 'constant', 'reflect' or 'edge', got '${String(mode)}'`,
    );
  }
  if (rest.value !== undefined) {
    throw new ShapeError(`pad: mode '${mode}' takes its values from x, got value ${rest.value}`);
  }
  // Called for its checks.
  padRecord.shape({ x }, rest);
  return rest.padding.reduce((y, sides, axis) => padWithBorder(y, sides, axis, mode), x);
}

/** Repeats what lies at or before the ends of one axis behind them: picks elements of the axis again. */
function padWithBorder(
  x: Tensor,
  [before, after]: readonly [number, number],
  axis: number,
  mode: 'reflect' | 'edge',
): Tensor {
  if (before + after === 0) return x;
  const last = x.shape[axis] - 1;
  if (mode === 'reflect' && Math.max(before, after) > last) {
    throw new ShapeError(
      `pad: 'reflect' mirrors at most ${last} elements of axis ${axis}, got padding [${before}, ${after}] (x [${x.shape.join(' ')}])`,
    );
  }
  const picks = Int32Array.from({ length: before + last + 1 + after }, (_, i) => {
    const at = i - before;
    if (mode === 'edge') return Math.min(Math.max(at, 0), last);
    return at > last ? 2 * last - at : Math.abs(at);
  });
  const indices = Tensor.own(x.runtime, x.runtime.alloc([picks.length], 'i32'));
  x.runtime.write(indices.gpuArray, picks);
  // The tape holds its own references to what backward needs.
  try {
    return gather(x, indices, { axis });
  } finally {
    indices.dispose();
  }
}

/**
 * A box of x.
 *
 * y[i] = x[begin + i] for i below `size`
 *
 * **Shapes** x of any shape → size. **Gradients** dx is dy in the box and zero outside.
 * **Cost** 8 bytes for each element of y. **Saves** nothing. **Errors** ShapeError if the box
 * is empty or reaches outside x. **Source** NumPy's basic slicing.
 *
 * @example
 * const x = device.arange([2, 3]);
 * await ops.slice(x, { begin: [0, 1], size: [2, 2] }).array(); // [[1, 2], [4, 5]]
 */
export function slice(x: Tensor, options: SliceOptions): Tensor {
  return applyOp(sliceRecord, { x }, options);
}

/**
 * Joins tensors along one axis.
 *
 * **Shapes** tensors that differ at most in the length of `axis` → that axis has the sum of the
 * lengths. **Gradients** each tensor's is its part of dy. **Cost** 8 bytes per element.
 * **Saves** nothing. **Errors** ShapeError naming every shape where they do not fit.
 * **Source** NumPy's concatenate.
 *
 * @example
 * const [a, b] = [device.tensor([[1], [2]]), device.tensor([[3, 4], [5, 6]])];
 * await ops.concat([a, b], { axis: 1 }).array(); // [[1, 3, 4], [2, 5, 6]]
 */
export function concat(tensors: readonly Tensor[], options: ConcatOptions): Tensor {
  const inputs = Object.fromEntries(tensors.map((tensor, i) => [`x${i}`, tensor]));
  return applyOp(concatRecord, inputs, options);
}

/**
 * Reorders axes; without `permutation` they are reversed.
 *
 * y[i₀, i₁, …] = x at the indices for which axis permutation[k] of x is i_k
 *
 * **Shapes** x of any shape → its lengths in the new order. **Gradients** dx is dy with the axes
 * restored. **Cost** 8 bytes per element; none if only axes of length 1 move. **Saves** nothing.
 * **Errors** ShapeError if the permutation does not name each axis once. **Source** NumPy's transpose.
 *
 * @example
 * await ops.transpose(device.arange([2, 3])).array(); // [[0, 3], [1, 4], [2, 5]]
 */
export function transpose(x: Tensor, options: TransposeOptions = {}): Tensor {
  return applyOp(transposeRecord, { x }, options);
}

/**
 * Selects along one axis: rows of a table, or elements of any axis.
 *
 * y[o, p, i] = x[o, indices[p], i], with o and i all axes before and after `axis`
 *
 * Negative indices count from the end. The GPU cannot raise an error, so an index out of range gives
 * NaN (−2³¹ from i32, 2³² − 1 from u32) and sends its gradient nowhere.
 *
 * **Shapes** x of any shape, indices of any shape → x's, with `axis` replaced by those of indices.
 * **Gradients** dx[o, l, i] = Σ_{p: indices[p] = l} dy[o, p, i], summed in the order of p.
 * **Cost** 8 bytes for each element of y. **Saves** indices. **Errors** ShapeError if the axis
 * does not exist or indices are not i32 or u32. **Source** NumPy's take.
 *
 * @example
 * const x = device.tensor([[1, 2], [3, 4], [5, 6]]);
 * await ops.gather(x, device.tensor(new Int32Array([2, 0, 2]))).array(); // [[5, 6], [1, 2], [5, 6]]
 */
export function gather(x: Tensor, indices: Tensor, options: GatherOptions = {}): Tensor {
  return applyOp(gatherRecord, { x, indices }, options);
}

/**
 * Class numbers as vectors of zeros and a one.
 *
 * y[…, k] = 1 where indices[…] = k, else 0; an index outside 0 … depth − 1 gives a row of NaN
 *
 * **Shapes** indices [any] → [any, depth]. **Gradients** none. **Cost** 4 bytes for each element
 * of y. **Errors** ShapeError if depth is not a positive whole number or indices are not i32 or
 * u32. **Source** textbook definition.
 *
 * @example
 * await ops.oneHot(device.tensor(new Int32Array([1, 0])), { depth: 3 }).array(); // [[0, 1, 0], [1, 0, 0]]
 */
export function oneHot(indices: Tensor, options: OneHotOptions): Tensor {
  return applyOp(oneHotRecord, { indices }, options);
}

/** How depthToSpace finds the pixels of a block among the channels. */
export interface DepthToSpaceOptions {
  /** Height and width of a block of pixels. */
  blockSize: number;
  /**
   * 'DCR': the channels of the block's first pixel, then those of the second (TensorFlow; the
   * default). 'CRD': the block's pixels of the first channel, then those of the second (PyTorch's PixelShuffle).
   */
  mode?: 'DCR' | 'CRD';
}

/**
 * Lays channels out as blocks of pixels: images get larger, channels fewer.
 *
 * y[n, h·B + i, w·B + j, c] = x[n, h, w, (i·B + j)·C + c], B = blockSize, C channels of y; in mode
 * 'CRD' x[n, h, w, c·B² + i·B + j]
 *
 * **Shapes** x [N H W B²·C] → [N H·B W·B C]. **Gradients** dx is spaceToDepth of dy. **Cost** 8 bytes an
 * element. **Saves** nothing. **Errors** ShapeError if x is no batch of images or B² does not divide its channels.
 * **Source** arXiv:1609.05158, equation 4.
 *
 * @example
 * const x = device.tensor([1, 2, 3, 4], [1, 1, 1, 4]);
 * await ops.depthToSpace(x, { blockSize: 2 }).array(); // [[[[1], [2]], [[3], [4]]]]
 */
export function depthToSpace(x: Tensor, options: DepthToSpaceOptions): Tensor {
  const { block, isCRD } = expectBlocks('depthToSpace', x, options);
  const [n, h, w, depth] = x.shape;
  const c = depth / block ** 2;
  if (!Number.isInteger(c)) {
    throw new ShapeError(
      `depthToSpace: blocks of ${block}×${block} must divide C=${depth} channels (x [${x.shape.join(' ')}])`,
    );
  }
  const blocks = reshape(x, isCRD ? [n, h, w, c, block, block] : [n, h, w, block, block, c]);
  const permutation = isCRD ? [0, 1, 4, 2, 5, 3] : [0, 1, 3, 2, 4, 5];
  return reshape(transpose(blocks, { permutation }), [n, h * block, w * block, c]);
}

/**
 * Lays blocks of pixels out as channels: the inverse of depthToSpace.
 *
 * y[n, h, w, (i·B + j)·C + c] = x[n, h·B + i, w·B + j, c], B = blockSize, C channels of x; in mode
 * 'CRD' y[n, h, w, c·B² + i·B + j]
 *
 * **Shapes** x [N H·B W·B C] → [N H W B²·C]. **Gradients** dx is depthToSpace of dy. **Cost** 8 bytes an
 * element. **Saves** nothing. **Errors** ShapeError if x is no batch of images or B does not divide
 * its height and width. **Source** arXiv:1609.05158, equation 4, read backwards.
 *
 * @example
 * const x = device.tensor([[[[1], [2]], [[3], [4]]]]);
 * await ops.spaceToDepth(x, { blockSize: 2 }).array(); // [[[[1, 2, 3, 4]]]]
 */
export function spaceToDepth(x: Tensor, options: DepthToSpaceOptions): Tensor {
  const { block, isCRD } = expectBlocks('spaceToDepth', x, options);
  const [n, height, width, c] = x.shape;
  const [h, w] = [height / block, width / block];
  if (!Number.isInteger(h) || !Number.isInteger(w)) {
    throw new ShapeError(
      `spaceToDepth: blocks of ${block}×${block} must divide H=${height} and W=${width} (x [${x.shape.join(' ')}])`,
    );
  }
  const blocks = reshape(x, [n, h, block, w, block, c]);
  const permutation = isCRD ? [0, 1, 3, 5, 2, 4] : [0, 1, 3, 2, 4, 5];
  return reshape(transpose(blocks, { permutation }), [n, h, w, c * block ** 2]);
}

function expectBlocks(op: string, x: Tensor, { blockSize, mode = 'DCR' }: DepthToSpaceOptions) {
  const what = `x [${x.shape.join(' ')}]`;
  if (x.shape.length !== 4) {
    throw new ShapeError(`${op}: x must have 4 dimensions [N H W C], got ${what}`);
  }
  if (!Number.isInteger(blockSize) || blockSize < 1) {
    throw new ShapeError(
      `${op}: blockSize must be a whole number from 1, got ${blockSize} (${what})`,
    );
  }
  if (mode !== 'DCR' && mode !== 'CRD') {
    throw new ShapeError(`${op}: mode must be 'DCR' or 'CRD', got '${String(mode)}' (${what})`);
  }
  return { block: blockSize, isCRD: mode === 'CRD' };
}
