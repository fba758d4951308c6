import type { GpuArray } from './array.js';
import type { Storage } from './buffer_pool.js';
import type { ParameterSlot } from './parameter_slots.js';
import type { Pipeline } from './pipeline.js';

/** Groups in one generation; the cache holds two. The step of a large network uses 2,000. */
const GENERATION_SIZE = 4096;

type Generation = Map<string, GPUBindGroup>;

/**
 * Bind groups by layout, parameters and buffers: making one costs 10 µs, finding one 1 µs.
 *
 * A loop that leaves its tensors to the garbage collector keeps producing new combinations of buffers,
 * and each group holds driver memory. So only recent groups are kept: those of the current generation
 * and the one before.
 */
export class BindGroupCache {
  private young: Generation = new Map();
  private old: Generation = new Map();
  private readonly keysOfStorage = new Map<number, Set<string>>();
  /** Groups dropped; the driver gets their memory back once they are garbage-collected. */
  dropped = 0;

  constructor(
    private readonly device: GPUDevice,
    private readonly generationSize = GENERATION_SIZE,
  ) {}

  get size(): number {
    return this.young.size + this.old.size;
  }

  /** `slot` has the parameters of a shader that declares some. */
  get(pipeline: Pipeline, slot: ParameterSlot | null, arrays: readonly GpuArray[]): GPUBindGroup {
    let key = `${pipeline.id}.${slot?.id ?? 0}`;
    for (const array of arrays) {
      key += `,${array.storage.id}`;
      if (array.byteOffset > 0) key += `+${array.byteOffset}:${array.byteLength}`;
    }
    let group = this.young.get(key);
    if (group) return group;
    group = this.old.get(key);
    if (group) this.old.delete(key);
    else {
      group = this.create(pipeline, slot, arrays);
      this.remember(key, arrays);
    }
    this.young.set(key, group);
    if (this.young.size >= this.generationSize) this.age();
    return group;
  }

  /** Forgets the groups that name a buffer which is about to be destroyed. */
  forget({ id }: Storage): void {
    for (const key of this.keysOfStorage.get(id) ?? []) {
      this.young.delete(key);
      this.old.delete(key);
    }
    this.keysOfStorage.delete(id);
  }

  private remember(key: string, arrays: readonly GpuArray[]): void {
    for (const { storage } of arrays) {
      const keys = this.keysOfStorage.get(storage.id);
      if (keys) keys.add(key);
      else this.keysOfStorage.set(storage.id, new Set([key]));
    }
  }

  private age(): void {
    this.dropped += this.old.size;
    this.old = this.young;
    this.young = new Map();
    for (const [id, keys] of this.keysOfStorage) {
      for (const key of keys) if (!this.old.has(key)) keys.delete(key);
      if (keys.size === 0) this.keysOfStorage.delete(id);
    }
  }

  private create(
    pipeline: Pipeline,
    slot: ParameterSlot | null,
    arrays: readonly GpuArray[],
  ): GPUBindGroup {
    let next = 0;
    const entries = pipeline.shader.bindings.map(({ binding, kind }) => ({
      binding,
      resource: kind === 'uniform' ? slot!.binding : rangeOf(arrays[next++]),
    }));
    return this.device.createBindGroup({ layout: pipeline.bindGroupLayout, entries });
  }
}

/** The whole buffer, or the range of a part, rounded up to whole vectors. */
function rangeOf({ storage, byteOffset, byteLength }: GpuArray): GPUBufferBinding {
  if (byteOffset === 0) return { buffer: storage.buffer };
  return { buffer: storage.buffer, offset: byteOffset, size: Math.ceil(byteLength / 16) * 16 };
}
