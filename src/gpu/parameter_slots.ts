/** Location of a dispatch's parameters, ready to be bound. */
export interface ParameterSlot {
  readonly id: number;
  readonly binding: GPUBufferBinding;
}

interface FilledSlot extends ParameterSlot {
  readonly words: Uint32Array;
}

const BLOCK_BYTES = 64 * 1024;
/** A training step of a large network has about a hundred. */
const MOST_SLOTS = 4096;

let nextSlotId = 1;

/**
 * The parameters of all dispatches, in uniform buffers. Each distinct content is written once, to an
 * offset that is never overwritten, so a bind group can refer to it permanently: a replayed step
 * uploads no parameters and sets no dynamic offsets, which would cost another call per dispatch.
 *
 * A loop with new parameters in every step keeps adding slots. So once there are MOST_SLOTS, all are
 * forgotten, and their buffers are freed with the last bind groups that use them.
 */
export class ParameterSlots {
  /** Keyed by a hash of the words: a text key would take microseconds. */
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
    // No recorded command uses this offset yet, so the write can go to the queue at once.
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
