import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { refillArray } from '../kernels/fill.js';
import { PIECE } from '../kernels/optimizer.js';
import { outsideScopes, Tensor } from '../tensor.js';

/*
 * Many tensors in one buffer, so that one dispatch reaches them all: WebGPU binds 8 to 16 buffers
 * a dispatch, a network has hundreds of parameters. Each tensor begins on a multiple of PIECE
 * elements, which is more than the alignment that binding a part of a buffer asks for.
 */

/** Where one tensor lies. */
export interface Slot {
  /** Position among the tensors the layout was made for. */
  readonly index: number;
  /** First element. */
  readonly start: number;
  readonly shape: readonly number[];
}

export interface ArenaLayout {
  readonly slots: readonly Slot[];
  /** Elements, padding included: a multiple of PIECE. */
  readonly size: number;
}

/**
 * Lays tensors out one after the other, in as few buffers as the binding limit allows. The first piece
 * of each belongs to no tensor, and is zero.
 */
export function layOut(runtime: Runtime, shapes: readonly (readonly number[])[]): ArenaLayout[] {
  const { maxStorageBufferBindingSize } = runtime.info.limits;
  const limit = Math.floor(maxStorageBufferBindingSize / 4 / PIECE) * PIECE;
  const layouts: { slots: Slot[]; size: number }[] = [];
  shapes.forEach((shape, index) => {
    const size = Math.ceil(shape.reduce((a, b) => a * b, 1) / PIECE) * PIECE;
    let last = layouts.at(-1);
    if (!last || last.size + size > limit) {
      // Whatever is bound at 0 is bound whole, so kernels of a captured step could not write there.
      const unused = PIECE + size > limit ? 0 : PIECE;
      layouts.push((last = { slots: [], size: unused }));
    }
    last.slots.push({ index, start: last.size, shape });
    last.size += size;
  });
  return layouts;
}

/** Zeroed memory of a layout that outlives scopes and captures. */
export function allocArena(runtime: Runtime, { size }: ArenaLayout): Tensor {
  return runtime.uncaptured(() => {
    const array = runtime.allocPersistent([size]);
    refillArray(runtime, array, 0);
    return outsideScopes(() => Tensor.own(runtime, array));
  });
}

/** One tensor's part of an arena. */
export function partOf(arena: GpuArray, { start, shape }: Slot): GpuArray {
  return arena.part(start, shape);
}

/** Copies tensors into their slots and lets them live there from now on. */
export function moveInto(
  runtime: Runtime,
  arena: GpuArray,
  moves: Iterable<{ tensor: Tensor; slot: Slot }>,
): void {
  for (const { tensor, slot } of moves) {
    const from = tensor.gpuArray;
    const to = partOf(arena, slot);
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

/** Lets the gradients of parameters live in their slots from now on. */
export function gatherInto(
  runtime: Runtime,
  arena: GpuArray,
  moves: readonly { parameter: Tensor; slot: Slot }[],
): void {
  moveInto(
    runtime,
    arena,
    moves.map(({ parameter, slot }) => ({ tensor: parameter.grad!, slot })),
  );
}

/** u32 [size / PIECE]: the place in `slots` of the tensor that each piece belongs to. */
export function ownersOf(runtime: Runtime, { slots, size }: ArenaLayout): Tensor {
  const owners = new Uint32Array(size / PIECE);
  slots.forEach(({ start }, i) => {
    const end = slots[i + 1]?.start ?? size;
    owners.fill(i, start / PIECE, end / PIECE);
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
