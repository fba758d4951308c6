import { describe, expect, it } from 'vitest';
import { GpuArray } from '../../src/gpu/array.js';
import { BindGroupCache } from '../../src/gpu/bind_group_cache.js';
import type { Storage } from '../../src/gpu/buffer_pool.js';
import type { ParameterSlot } from '../../src/gpu/parameter_slots.js';
import type { Pipeline } from '../../src/gpu/pipeline.js';

/** A cache of eight groups a generation, over a device that counts what it makes. */
function smallCache(): { cache: BindGroupCache; made: () => number } {
  let count = 0;
  const device = { createBindGroup: () => ({ serial: ++count }) };
  const cache = new BindGroupCache(device as unknown as GPUDevice, 8);
  return { cache, made: () => count };
}

const pipeline = { id: 1, shader: { bindings: [{ kind: 'storage', binding: 0 }] } };
const slotOf = (id: number): ParameterSlot => ({ id, binding: {} as GPUBufferBinding });
const find = (cache: BindGroupCache, id: number, slot = slotOf(1)): GPUBindGroup =>
  cache.get(pipeline as unknown as Pipeline, slot, [
    new GpuArray({ id, buffer: {} } as unknown as Storage, [4], 'f32'),
  ]);

describe('bind group cache', () => {
  it('finds a group again, and not after its buffer is forgotten', () => {
    const { cache, made } = smallCache();
    const first = find(cache, 1);
    expect(find(cache, 1)).toBe(first);
    expect(find(cache, 2)).not.toBe(first);
    expect(find(cache, 2, slotOf(2))).not.toBe(find(cache, 2));
    cache.forget({ id: 1 } as Storage);
    expect(cache.size).toBe(2);
    expect(find(cache, 1)).not.toBe(first);
    expect(made()).toBe(4);
  });

  it('keeps what is used and drops the rest, whatever comes by', () => {
    const { cache, made } = smallCache();
    const used = find(cache, 0);
    for (let id = 1; id <= 1000; id++) {
      find(cache, id);
      expect(find(cache, 0)).toBe(used);
      expect(cache.size).toBeLessThanOrEqual(16);
    }
    expect(made()).toBe(1001);
    expect(cache.dropped).toBeGreaterThan(900);
  });
});
