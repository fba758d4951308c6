import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { broadcastGeometry } from './lib/broadcast.js';
import type { ReduceGeometry } from './lib/reduce_geometry.js';

const WORKGROUP = 64;

/** The kinds of reduction, with the KIND of the shaders. */
const kinds = { linear: 0, variance: 1, extreme: 2, product: 3 } as const;

type ReduceBackwardVariant = 'naive' | 'vec4' | 'runs';

interface ReduceBackwardCall {
  kind: keyof typeof kinds;
  /** Shape of x, and the output's shape with 1 for the reduced axes. */
  shape: readonly number[];
  keptShape: readonly number[];
  geometry: ReduceGeometry;
  dy: GpuArray;
  factor?: number;
  x?: GpuArray | undefined;
  /** variance: the means; extreme: the extremes; product: the products of what is not 0. */
  center?: GpuArray | undefined;
  /** extreme: how many elements share it; product: how many are 0. */
  ties?: GpuArray | undefined;
  variant?: ReduceBackwardVariant | undefined;
}

/**
 * dx of a reduction; dy [outputs] → dx of x's shape. linear: factor · dy; variance:
 * factor · dy · (x − center); extreme: dy / ties where x = center, else 0; product: dy ·
 * the product of the other elements.
 */
export function reduceBackward(runtime: Runtime, call: ReduceBackwardCall): GpuArray {
  const { kind, shape, geometry, dy, factor = 1 } = call;
  const dx = runtime.alloc(shape);
  const filler = runtime.placeholder;
  const common = {
    op: `reduce ${kind} backward`,
    constants: { KIND: kinds[kind] },
    bindings: {
      dy,
      x: call.x ?? filler,
      center: call.center ?? filler,
      ties: call.ties ?? filler,
      dx,
    },
    flops: dx.size,
    bytes: dy.byteLength + dx.byteLength + (call.x?.byteLength ?? 0),
  };
  const variant = call.variant ?? chooseVariant(geometry);
  if (variant === 'runs') {
    const { params, isLast, groups } = runsOf(runtime, geometry);
    runtime.dispatch({
      ...common,
      shader: 'reduce_backward_runs_vec4',
      constants: { ...common.constants, IS_LAST: isLast },
      params: { ...params, factor },
      groups,
    });
    return dx;
  }
  if (variant === 'vec4') {
    const quads = Math.ceil(dx.size / 4);
    runtime.dispatch({
      ...common,
      shader: 'reduce_backward_vec4',
      params: { quads, terms: geometry.terms, inner: innerOf(geometry), factor },
      groups: Math.ceil(quads / WORKGROUP),
    });
    return dx;
  }
  const { outerShape, innerShape, operands } = broadcastGeometry(shape, [call.keptShape]);
  runtime.dispatch({
    ...common,
    shader: 'reduce_backward_naive',
    params: {
      outer_shape: outerShape,
      size: dx.size,
      inner_shape: innerShape,
      factor,
      y_outer: operands[0].outerStrides,
      y_inner: operands[0].innerStrides,
    },
    groups: Math.ceil(dx.size / WORKGROUP),
  });
  return dx;
}

/** Vectors if the reduced axes are adjacent, which is nearly always. */
function chooseVariant(geometry: ReduceGeometry): ReduceBackwardVariant {
  if (!isOneRun(geometry)) return 'naive';
  const inner = innerOf(geometry);
  return (inner === 1 ? geometry.terms : inner) % 4 === 0 ? 'runs' : 'vec4';
}

/** Parameters and grid of the kernel that stays with its outputs. */
function runsOf({ info }: Runtime, geometry: ReduceGeometry) {
  const { outputs, terms } = geometry;
  const inner = innerOf(geometry);
  const isLast = inner === 1;
  const outer = outputs / inner;
  const rows = isLast ? 1 : terms;
  const width = (isLast ? terms : inner) / 4;
  const columns = outer * (isLast ? 1 : width);
  // 2,000 invocations keep two cores busy; a GPU needs tens of thousands.
  const wanted = Math.ceil((info.isSoftware ? 2048 : 2 ** 18) / columns);
  const slices = Math.min(wanted, isLast ? width : rows);
  return {
    ...{ params: { outer, rows, width, slices }, isLast },
    groups: Math.ceil((columns * slices) / WORKGROUP),
  };
}

/** Whether x is [outer, terms, inner]. */
function isOneRun({ reducedShape }: ReduceGeometry): boolean {
  return reducedShape[0] * reducedShape[1] === 1;
}

/** Elements between two terms of an output: the product of the axes after the reduced ones. */
function innerOf({ terms, reducedStrides }: ReduceGeometry): number {
  return terms === 1 ? 1 : reducedStrides[2];
}
