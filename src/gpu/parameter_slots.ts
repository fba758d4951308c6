/** Where the parameters of a dispatch lie, ready to be bound. */
export interface ParameterSlot {
  readonly id: number;
  readonly binding: GPUBufferBinding;
}

interface FilledSlot extends ParameterSlot {
  readonly words: Uint32Array;
}

const BLOCK_BYTES = 64 * 1024;
/** The step of a large network has a hundred different ones. */
const MOST_SLOTS = 4096;

let nextSlotId = 1;

/**
 * The parameters of all dispatches, in uniform buffers. Each content is written once, to a place
 * that is never written again, so that a bind group may name it for good: a replayed step uploads
 * no parameters and sets no offsets, which would be a call more for each dispatch.
 *
 * A loop whose numbers are others every time fills one place after the other. So once there are
 * MOST_SLOTS all are forgotten, and their buffers go with the last bind groups that name them.
 */
export class ParameterSlots {
  /** By a hash of their words: a key of text would take microseconds. */
  private readonly buckets = new Map<number, FilledSlot[]>();
  private count = 0;
  private block: GPUBuffer | null = null;
  private used = 0;

  constructor(
    private readonly device: GPUDevice,
    private readonly mostSlots = MOST_SLOTS,
  ) {}

  get size(): number {
    return this.count;
  }

  /** `bytes` is a struct as WGSL lays it out: a multiple of 4 bytes, few enough for one block. */
  get(bytes: ArrayBuffer): ParameterSlot {
    const words = new Uint32Array(bytes);
    const hash = hashOf(words);
    const known = this.buckets.get(hash)?.find((slot) => isSame(slot.words, words));
    if (known) return known;
    if (this.count >= this.mostSlots) {
      this.buckets.clear();
      this.count = 0;
    }
    const slot = { ...this.write(bytes), words };
    const bucket = this.buckets.get(hash);
    if (bucket) bucket.push(slot);
    else this.buckets.set(hash, [slot]);
    this.count++;
    return slot;
  }

  private write(bytes: ArrayBuffer): ParameterSlot {
    const { minUniformBufferOffsetAlignment: align } = this.device.limits;
    const size = bytes.byteLength;
    if (!this.block || this.used + size > BLOCK_BYTES) {
      // UNIFORM | COPY_DST
      this.block = this.device.createBuffer({ size: BLOCK_BYTES, usage: 0x40 | 0x08 });
      this.used = 0;
    }
    const offset = this.used;
    this.used = Math.ceil((offset + size) / align) * align;
    // Nothing recorded names this place yet, so that the write may go ahead of what waits.
    this.device.queue.writeBuffer(this.block, offset, bytes);
    return { id: nextSlotId++, binding: { buffer: this.block, offset, size } };
  }
}

/** FNV-1a, a word at a time. */
function hashOf(words: Uint32Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i], 0x01000193);
  return hash;
}

function isSame(a: Uint32Array, b: Uint32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
