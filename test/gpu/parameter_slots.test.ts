import { describe, expect, it } from 'vitest';
import { ParameterSlots } from '../../src/gpu/parameter_slots.js';
import { mul } from '../../src/ops/elementwise.js';
import { testDevice } from '../helpers/device.js';

interface Written {
  buffer: unknown;
  offset: number;
  words: number[];
}

/** Slots over a device that keeps what is written. */
function recordingSlots(mostSlots?: number): { slots: ParameterSlots; written: Written[] } {
  const written: Written[] = [];
  const device = {
    limits: { minUniformBufferOffsetAlignment: 256 },
    createBuffer: () => ({}),
    queue: {
      writeBuffer: (buffer: unknown, offset: number, bytes: ArrayBuffer) =>
        written.push({ buffer, offset, words: [...new Uint32Array(bytes)] }),
    },
  };
  return { slots: new ParameterSlots(device as unknown as GPUDevice, mostSlots), written };
}

const bytesOf = (...words: number[]): ArrayBuffer => Uint32Array.from(words).buffer;

describe('parameter slots', () => {
  it('write each content once, to a place of its own', () => {
    const { slots, written } = recordingSlots();
    const first = slots.get(bytesOf(1, 2));
    expect(slots.get(bytesOf(1, 2))).toBe(first);
    const longer = slots.get(bytesOf(1, 2, 0));
    expect(longer.id).not.toBe(first.id);
    expect(first.binding).toMatchObject({ offset: 0, size: 8 });
    expect(longer.binding).toMatchObject({ offset: 256, size: 12 });
    expect(written.map(({ words }) => words)).toEqual([
      [1, 2],
      [1, 2, 0],
    ]);
  });

  it('never write to a place again, however many come', () => {
    const { slots, written } = recordingSlots(300);
    const places = new Map<unknown, Set<number>>();
    const ids = new Set<number>();
    for (let i = 0; i < 1000; i++) {
      ids.add(slots.get(bytesOf(i, i + 1, i + 2, i + 3)).id);
      const { buffer, offset, words } = written.at(-1)!;
      expect(words[0]).toBe(i);
      expect(offset % 256).toBe(0);
      const taken = places.get(buffer) ?? new Set();
      expect(taken.has(offset)).toBe(false);
      places.set(buffer, taken.add(offset));
      expect(slots.size).toBeLessThanOrEqual(300);
    }
    expect(ids.size).toBe(1000);
    expect(places.size).toBe(4);
  });

  it('give every dispatch its own numbers, more than are remembered', async () => {
    const device = await testDevice();
    const x = device.ones([4]);
    const results = Array.from({ length: 5000 }, (_, i) => mul(x, i));
    for (const i of [0, 1, 255, 256, 4095, 4096, 4999]) {
      expect([...(await results[i].data())]).toEqual([i, i, i, i]);
    }
    for (const result of results) result.dispose();
    x.dispose();
  });
});
