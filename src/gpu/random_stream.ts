/**
 * The source of a device's random numbers: a seed, and a counter of random operations. The GPU
 * generates the numbers by Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
 * SC'11), keyed by the seed, with the counter of the operation and the index of the element as the
 * block: the same seed and the same sequence of operations give the same bits.
 */
export class PhiloxStream {
  private drawn = 0;

  constructor(readonly seed: number) {}

  /** The block every random kernel reads: key low, key high, counter low, counter high. */
  next(): Uint32Array {
    const counter = this.drawn++;
    return new Uint32Array([
      this.seed >>> 0,
      Math.floor(this.seed / 2 ** 32) >>> 0,
      counter >>> 0,
      Math.floor(counter / 2 ** 32) >>> 0,
    ]);
  }

  /** How many random operations have run; a checkpoint keeps it. */
  get position(): number {
    return this.drawn;
  }

  set position(value: number) {
    this.drawn = value;
  }
}
