import { ShapeError } from '../errors.js';
import type { Storage } from './buffer_pool.js';

/** Element types. u8 travels packed, four to a 32-bit word; f16 needs the adapter's shader-f16. */
export type DType = 'f32' | 'f16' | 'i32' | 'u32' | 'u8';

export const bytesPerElement: Record<DType, number> = { f32: 4, f16: 2, i32: 4, u32: 4, u8: 1 };

/** Bytes on which a storage binding may begin: WebGPU's default, which every adapter takes. */
export const PART_ALIGNMENT = 256;

export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** `f32 [8, 28, 28, 32]`, for error texts. */
export function arrayText({ dtype, shape }: Pick<GpuArray, 'dtype' | 'shape'>): string {
  return `${dtype} [${shape.join(', ')}]`;
}

/**
 * A contiguous, row-major array in GPU memory: a shape and an element type over counted storage.
 * Kernels read and write these; the tensor people hold wraps one.
 */
export class GpuArray {
  constructor(
    readonly storage: Storage,
    readonly shape: readonly number[],
    readonly dtype: DType,
    /** Where the array begins in its storage: a multiple of PART_ALIGNMENT. */
    readonly byteOffset = 0,
  ) {}

  get size(): number {
    return sizeOf(this.shape);
  }

  get byteLength(): number {
    return this.size * bytesPerElement[this.dtype];
  }

  /** The same storage under another shape; the caller owns the new reference. */
  view(shape: readonly number[]): GpuArray {
    this.storage.retain();
    return new GpuArray(this.storage, shape, this.dtype, this.byteOffset);
  }

  /** Elements from `start` on, in the same storage; the caller owns the new reference. */
  part(start: number, shape: readonly number[]): GpuArray {
    const byteOffset = this.byteOffset + start * bytesPerElement[this.dtype];
    if (byteOffset % PART_ALIGNMENT !== 0) {
      throw new ShapeError(`part: expected a start on ${PART_ALIGNMENT} bytes, got ${byteOffset}`);
    }
    this.storage.retain();
    return new GpuArray(this.storage, shape, this.dtype, byteOffset);
  }

  retain(): this {
    this.storage.retain();
    return this;
  }

  release(): void {
    this.storage.release();
  }
}
