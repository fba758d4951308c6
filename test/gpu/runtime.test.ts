import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeviceError, LimitError, ShaderError } from '../../src/errors.js';
import type { GpuArray } from '../../src/gpu/array.js';
import { Runtime } from '../../src/gpu/runtime.js';
import { arangeArray, fillArray } from '../../src/kernels/fill.js';
import { accumulate } from '../../src/kernels/lib/accumulate.js';

describe('runtime', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await Runtime.open();
  });
  afterAll(() => runtime.destroy());

  const read = async (array: Parameters<Runtime['read']>[0]): Promise<number[]> =>
    Array.from(new Float32Array(await runtime.read(array)));

  it('names its adapter and asks for the adapter’s own limits', () => {
    const { info } = runtime;
    expect(info.description.length).toBeGreaterThan(0);
    expect(info.limits.maxStorageBufferBindingSize).toBe(
      runtime.adapter.limits.maxStorageBufferBindingSize,
    );
  });

  it('runs dispatches in recorded order', async () => {
    const a = arangeArray(runtime, [300], 'f32', 1, 2);
    const b = fillArray(runtime, [300], 'f32', 10);
    accumulate(runtime, b, a);
    accumulate(runtime, b, a);
    const got = await read(b);
    expect(got).toEqual(Array.from({ length: 300 }, (_, i) => 10 + 2 * (1 + 2 * i)));
    a.release();
    b.release();
  });

  it('says why a read failed whose device was destroyed meanwhile', async () => {
    const short = await Runtime.open();
    const reading = short.read(fillArray(short, [4], 'f32', 1));
    short.destroy();
    await expect(reading).rejects.toThrow('destroyed while a value was being read');
  });

  it('orders a write after recorded commands that still read the buffer', async () => {
    const a = fillArray(runtime, [4], 'f32', 1);
    const sum = fillArray(runtime, [4], 'f32', 0);
    accumulate(runtime, sum, a);
    runtime.write(a, new Float32Array([5, 5, 5, 5]));
    accumulate(runtime, sum, a);
    expect(await read(sum)).toEqual([6, 6, 6, 6]);
    a.release();
    sum.release();
  });

  it('uploads the values of the call, whatever becomes of them after it', async () => {
    const values = Float32Array.of(1, 2, 3, 4);
    const upload = (target: GpuArray): void => {
      runtime.write(target, values);
      values.fill(9);
    };
    const [idle, busy, kept] = [0, 1, 2].map(() => runtime.allocPersistent([4]));
    await runtime.sync();
    upload(idle);
    expect(await read(idle)).toEqual([1, 2, 3, 4]);
    // A recorded command still waits to use it.
    accumulate(runtime, busy, idle);
    values.set([5, 6, 7, 8]);
    upload(busy);
    expect(await read(busy)).toEqual([5, 6, 7, 8]);
    // Every replay writes it again.
    values.set([1, 1, 2, 2]);
    const { captured } = runtime.captureCommands(() => upload(kept));
    accumulate(runtime, kept, busy);
    runtime.replay(captured);
    expect(await read(kept)).toEqual([1, 1, 2, 2]);
    const bytes = Uint8Array.of(1, 2, 3);
    const odd = runtime.alloc([4], 'u8');
    runtime.write(odd, bytes);
    expect([...new Uint8Array(await runtime.read(odd))]).toEqual([1, 2, 3, 0]);
    runtime.disposeCapture(captured);
    for (const array of [idle, busy, kept, odd]) array.release();
  });

  it('hands a released buffer out again and counts it', async () => {
    await runtime.sync();
    const before = { ...runtime.ledger };
    const a = runtime.alloc([1000]);
    expect(runtime.ledger.liveBuffers).toBe(before.liveBuffers + 1);
    const { storage } = a;
    a.release();
    expect(runtime.ledger.liveBuffers).toBe(before.liveBuffers);
    const b = runtime.alloc([1000]);
    expect(b.storage).toBe(storage);
    b.release();
    expect(() => b.release()).toThrow('storage: released twice');
  });

  it('refuses an array larger than the adapter can bind', () => {
    const limit = runtime.device.limits.maxStorageBufferBindingSize;
    expect(() => runtime.alloc([limit / 4 + 1])).toThrow(LimitError);
    expect(() => runtime.alloc([limit / 4 + 1])).toThrow(
      /maxStorageBufferBindingSize: requested \d+, available \d+\)\nfix: lower the batch size/,
    );
  });

  it('folds a grid above the limit of one dimension', async () => {
    // 64 elements a workgroup: 65,536 groups are one too many for one dimension.
    const size = 64 * 65536;
    const a = fillArray(runtime, [size], 'f32', 3);
    const bytes = await runtime.read(a);
    expect(new Float32Array(bytes).every((value) => value === 3)).toBe(true);
    a.release();
  });

  it('checks parameters and bindings by name', () => {
    const a = fillArray(runtime, [4], 'f32', 1);
    const good = {
      shader: 'accumulate_vec4',
      op: 'test',
      bindings: { target_values: a, source_values: a },
      params: { vectors: 1 },
      groups: 1,
    };
    expect(() => runtime.dispatch({ ...good, params: { vector: 1 } })).toThrow(
      'Params has no field vector',
    );
    expect(() => runtime.dispatch({ ...good, params: {} })).toThrow('Params vectors not given');
    expect(() => runtime.dispatch({ ...good, bindings: { target_values: a } })).toThrow(
      'binding source_values not given by test',
    );
    expect(() => runtime.dispatch({ ...good, tune: { TILE: 4 } })).toThrow('no tunable named TILE');
    expect(() => runtime.dispatch({ ...good, constants: { SIZE: 4 } })).toThrow(ShaderError);
    a.release();
  });

  it('replays captured commands with values produced anew', async () => {
    const state = runtime.allocPersistent([4]);
    const total = runtime.allocPersistent([4]);
    runtime.write(total, new Float32Array(4));
    let step = 0;
    const { captured } = runtime.captureCommands(() => {
      runtime.writeDynamic(state, () => new Float32Array(4).fill(++step));
      accumulate(runtime, total, state);
    });
    expect(await read(total)).toEqual([1, 1, 1, 1]);
    runtime.replay(captured);
    runtime.replay(captured);
    expect(await read(total)).toEqual([6, 6, 6, 6]);
    runtime.disposeCapture(captured);
    state.release();
    total.release();
  });

  it('refuses a read-back inside a capture', async () => {
    const a = fillArray(runtime, [4], 'f32', 1);
    let reading: Promise<unknown> = Promise.resolve();
    const { captured } = runtime.captureCommands(() => {
      reading = runtime.read(a);
      reading.catch(() => undefined);
    });
    await expect(reading).rejects.toThrow(
      'capture: a read of f32 [4] reads a value back inside the captured function, at ',
    );
    runtime.disposeCapture(captured);
    a.release();
  });

  it('times dispatches where the adapter has timestamps', async () => {
    if (!runtime.hasTimestamps) {
      console.log('skipped: no timestamp-query on this adapter');
      return;
    }
    const a = fillArray(runtime, [4096], 'f32', 1);
    const timings = await runtime.profile(() => accumulate(runtime, a, runtime.alloc([4096])));
    expect(timings).toHaveLength(1);
    expect(timings[0]).toMatchObject({ op: 'accumulate', shader: 'accumulate_vec4', flops: 4096 });
    expect(timings[0].ms).toBeGreaterThan(0);
    a.release();
  });
});

describe('adapter choice', () => {
  it('names what it found when nothing contains the wanted name', async () => {
    await expect(Runtime.open({ adapter: 'no such adapter' })).rejects.toThrow(DeviceError);
    await expect(Runtime.open({ adapter: 'no such adapter' })).rejects.toThrow(
      /no adapter contains "no such adapter"; found ".+"\nfix: pass part of one of these names/,
    );
  });
});

describe('captures and compilation', () => {
  it('may be disposed while their pipelines still compile', async () => {
    const fresh = await Runtime.open();
    const { result, captured } = fresh.captureCommands(() => {
      const values = arangeArray(fresh, [100], 'f32', 0, 1);
      const more = fillArray(fresh, [100], 'f32', 1);
      accumulate(fresh, values, more);
      more.release();
      return values;
    });
    result.release();
    fresh.disposeCapture(captured);
    await expect(fresh.sync()).resolves.toBeUndefined();
    expect(fresh.ledger.liveBuffers).toBe(1);
    fresh.destroy();
  });

  it('are replayed while their pipelines still compile, with the data of each call', async () => {
    const fresh = await Runtime.open();
    const total = fresh.alloc([4]);
    fresh.write(total, new Float32Array(4));
    let value = 1;
    const { captured } = fresh.captureCommands(() => {
      const step = fresh.allocDynamic([4]);
      fresh.writeDynamic(step, () => new Float32Array(4).fill(value));
      accumulate(fresh, total, step);
      step.release();
    });
    for (value of [10, 100, 1000]) fresh.replay(captured);
    // By now the replays wait; what they were asked for must not change any more.
    value = 1e6;
    const isCompiling = captured.commands.some(
      (command) => command.kind === 'dispatch' && !command.pipeline.compiled,
    );
    expect(isCompiling).toBe(true);
    expect([...new Float32Array(await fresh.read(total))]).toEqual([1111, 1111, 1111, 1111]);
    fresh.disposeCapture(captured);
    total.release();
    fresh.destroy();
  });
});
