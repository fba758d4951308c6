import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { refillArray } from '../kernels/fill.js';
import { BLOCK } from '../kernels/optimizer.js';
import { outsideScopes, Tensor } from '../tensor.js';

/*
 * Many tensors in one buffer, so that one dispatch can update them all: WebGPU binds 8 to 16 buffers
 * per dispatch, and a network has hundreds of parameters. Each tensor begins on a multiple of BLOCK
 * elements, which is more than the alignment that binding a part of a buffer asks for.
 */

/** The elements of a flat buffer that hold one tensor. */
export interface FlatRange {
  /** Position among the tensors the layout was made for. */
  readonly index: number;
  /** Of its first element. */
  readonly offset: number;
  readonly shape: readonly number[];
}

export interface FlatLayout {
  readonly ranges: readonly FlatRange[];
  /** Elements, padding included: a multiple of BLOCK. */
  readonly size: number;
}

/**
 * Lays tensors out one after the other, in as few buffers as the binding limit allows. The first block
 * of each belongs to no tensor, and is zero.
 */
export function layOut(runtime: Runtime, shapes: readonly (readonly number[])[]): FlatLayout[] {
  const { maxStorageBufferBindingSize } = runtime.info.limits;
  const limit = Math.floor(maxStorageBufferBindingSize / 4 / BLOCK) * BLOCK;
  const layouts: { ranges: FlatRange[]; size: number }[] = [];
  shapes.forEach((shape, index) => {
    const size = Math.ceil(shape.reduce((a, b) => a * b, 1) / BLOCK) * BLOCK;
    let last = layouts.at(-1);
    if (!last || last.size + size > limit) {
      // An array at offset 0 binds the whole buffer, so kernels of a captured step could not write to
      // it.
      const unused = BLOCK + size > limit ? 0 : BLOCK;
      layouts.push((last = { ranges: [], size: unused }));
    }
    last.ranges.push({ index, offset: last.size, shape });
    last.size += size;
  });
  return layouts;
}

/** A flat buffer of zeros that outlives scopes and captures. */
export function allocFlat(runtime: Runtime, { size }: FlatLayout): Tensor {
  return runtime.uncaptured(() => {
    const array = runtime.allocPersistent([size]);
    refillArray(runtime, array, 0);
    return outsideScopes(() => Tensor.own(runtime, array));
  });
}

/** One tensor's range as an array. */
export function viewOf(flat: GpuArray, { offset, shape }: FlatRange): GpuArray {
  return flat.part(offset, shape);
}

/** Copies tensors into their ranges of the flat buffer, which holds them from now on. */
export function moveInto(
  runtime: Runtime,
  flat: GpuArray,
  moves: Iterable<{ tensor: Tensor; range: FlatRange }>,
): void {
  for (const { tensor, range } of moves) {
    const from = tensor.gpuArray;
    const to = viewOf(flat, range);
    if (from.storage === to.storage && from.byteOffset === to.byteOffset) {
      to.release();
      continue;
    }
    runtime.copy(from, to);
    tensor.rehome(to);
  }
}

/** Whether backward has reached the parameter since its last zeroGrad. */
export function hasGradient({ grad }: Tensor): boolean {
  return grad !== null && !grad.isDisposed;
}

/** Copies the gradients of parameters into their ranges, which hold them from now on. */
export function gatherInto(
  runtime: Runtime,
  flat: GpuArray,
  moves: readonly { parameter: Tensor; range: FlatRange }[],
): void {
  moveInto(
    runtime,
    flat,
    moves.map(({ parameter, range }) => ({ tensor: parameter.grad!, range })),
  );
}

/** u32 [size / BLOCK]: the index in `ranges` of the tensor that each block belongs to. */
export function ownersOf(runtime: Runtime, { ranges, size }: FlatLayout): Tensor {
  const owners = new Uint32Array(size / BLOCK);
  ranges.forEach(({ offset }, i) => {
    const end = ranges[i + 1]?.offset ?? size;
    owners.fill(i, offset / BLOCK, end / BLOCK);
  });
  return constant(runtime, owners);
}

/** Numbers that outlive scopes and captures. */
function constant(runtime: Runtime, values: Uint32Array): Tensor {
  return runtime.uncaptured(() => {
    const array = runtime.allocPersistent([values.length], 'u32');
    runtime.write(array, values);
    return outsideScopes(() => Tensor.own(runtime, array));
  });
}
