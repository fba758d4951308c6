import { GradError } from '../errors.js';
import type { GpuArray } from '../gpu/array.js';

/** Owns a tensor's array, and can release it before the tensor is disposed. */
export class ArrayHandle {
  /** Name of the tensor in its network's state dict, for error messages. */
  name: string | null = null;
  private released: string | null = null;

  constructor(private held: GpuArray) {}

  get array(): GpuArray {
    if (this.released !== null) {
      throw new GradError(
        `tensor [${this.held.shape.join(', ')}] was released by ${this.released}`,
        this.released === 'backward()'
          ? 'read it before backward(), or take t.detach() before and read that'
          : undefined,
      );
    }
    return this.held;
  }

  get meta(): GpuArray {
    return this.held;
  }

  get isReleased(): boolean {
    return this.released !== null;
  }

  /** What released the array, for error messages; null while it is held. */
  get releasedBy(): string | null {
    return this.released;
  }

  /** Holds another array of the same shape instead, and owns it. */
  replace(array: GpuArray): void {
    const before = this.array;
    this.held = array;
    before.release();
  }

  release(by: string): void {
    if (this.released !== null) return;
    this.released = by;
    this.held.release();
  }
}
