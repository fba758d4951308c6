import { sizeOf } from '../../gpu/array.js';
import type { ModelLayer } from './model_layers.js';
import type { WeightFormat } from './types.js';

/** How a tensor of ours lies in a file: the values seen in `view`, their axes in the order `axes`. */
export interface Layout {
  view: readonly number[];
  axes: readonly number[];
  /** In the file. */
  shape: readonly number[];
}

/**
 * The layout of a layer's field in files of a format. Keras has ours; PyTorch has filters as
 * [K C R S], depthwise ones as [C·M 1 R S], dense weights as [out in], and flattens images as
 * C·H·W, so that what follows a flattening has its features in that order.
 */
export function layoutOf(format: WeightFormat, layer: ModelLayer, field: string): Layout {
  const { shape } = layer.tensors.get(field)!;
  const same = { view: shape, axes: shape.map((_, i) => i), shape };
  if (format !== 'pytorch') return same;
  if (field === 'weight' && layer.kind === 'filters') {
    const [r, s, c, k] = shape;
    return layer.isDepthwise
      ? { view: shape, axes: [2, 3, 0, 1], shape: [c * k, 1, r, s] }
      : { view: shape, axes: [3, 2, 0, 1], shape: [k, c, r, s] };
  }
  const { flattened } = layer;
  if (field === 'weight' && layer.kind === 'dense') {
    const [features, out] = shape;
    const turned = [out, features];
    return flattened
      ? { view: [...flattened, out], axes: [3, 2, 0, 1], shape: turned }
      : { view: shape, axes: [1, 0], shape: turned };
  }
  // Batch norm on flattened features.
  if (layer.kind === 'norm' && flattened) return { view: flattened, axes: [2, 0, 1], shape };
  return same;
}

/** Values in our order → values in the file's. */
export function toFile({ view, axes }: Layout, data: Float32Array): Float32Array {
  return transposed(data, view, axes);
}

/** Values in the file's order → values in ours. */
export function fromFile({ view, axes }: Layout, data: Float32Array): Float32Array {
  const inverse = axes.map((_, i) => axes.indexOf(i));
  return transposed(
    data,
    axes.map((axis) => view[axis]),
    inverse,
  );
}

/** Axis i of the result is axis axes[i] of the values. */
function transposed(
  data: Float32Array,
  shape: readonly number[],
  axes: readonly number[],
): Float32Array {
  if (axes.every((axis, i) => axis === i)) return data;
  const strides = shape.map((_, i) => sizeOf(shape.slice(i + 1)));
  const out = new Float32Array(data.length);
  let at = 0;
  const fill = (depth: number, from: number): void => {
    if (depth === axes.length) {
      out[at++] = data[from];
      return;
    }
    const axis = axes[depth];
    for (let i = 0; i < shape[axis]; i++) fill(depth + 1, from + i * strides[axis]);
  };
  fill(0, 0);
  return out;
}
