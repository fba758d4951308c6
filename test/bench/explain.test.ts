import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explainKernel, explanationLines } from '../../src/bench/explain.js';
import { holderOf } from '../../src/bench/occupancy.js';
import { shaderFigures } from '../../src/bench/shader_figures.js';
import type { DispatchCommand } from '../../src/gpu/dispatch.js';
import { loadShader } from '../../src/gpu/shader.js';

describe('what a shader takes of an adapter', () => {
  it('is read from constants, overrides and nested expressions', () => {
    const code = `
      const BM = 64u; // @tune
      const TM: u32 = 4u;
      override BN: u32 = 32u;
      const THREADS = (BM / TM) * (BN / 8u) - 0u;
      var<workgroup> a: array<vec4<f32>, BM * 2u + 1u>;
      var<workgroup> b: array<f32, 5>; // 20 bytes, counted as 32
      @compute @workgroup_size(THREADS, u32(2))
      fn main() {}`;
    expect(shaderFigures(code)).toEqual({ workgroupSize: 128, workgroupBytes: 16 * 129 + 32 });
    expect(shaderFigures(code, { BN: 64 }).workgroupSize).toBe(256);
  });

  it('counts structs, aliases, matrices of arrays and padding as WGSL lays them out', () => {
    const code = `
      alias Lanes = vec4<f32>;
      alias Elem = f16;
      struct Moments { mean: vec3f, count: u32, m2: vec2<f32> }
      var<workgroup> moments: array<Moments, 3>;
      var<workgroup> lanes: array<array<Lanes, 2>, 3>;
      var<workgroup> halves: array<Elem, 10>;
      var<workgroup> hits: atomic<u32>;
      @compute @workgroup_size(8) fn main() {}`;
    expect(shaderFigures(code).workgroupBytes).toBe(3 * 32 + 6 * 16 + 32 + 16);
  });

  it('is told where it cannot be read', () => {
    expect(() => shaderFigures('fn main() {}')).toThrow('no @workgroup_size');
    expect(() => shaderFigures('@workgroup_size(SIZE) fn main() {}')).toThrow(
      'an expression that is not understood: SIZE',
    );
    const strange = 'var<workgroup> a: mat2x2f; @workgroup_size(1) fn main() {}';
    expect(() => shaderFigures(strange)).toThrow('a type of unknown size: mat2x2f');
  });

  it('can be read of every shader there is', () => {
    const names = readdirSync(new URL('../../shaders/', import.meta.url))
      .filter((file) => file.endsWith('.wgsl'))
      .map((file) => file.slice(0, -'.wgsl'.length));
    expect(names.length).toBeGreaterThan(50);
    for (const name of names) {
      const { workgroupSize, workgroupBytes } = shaderFigures(loadShader(name, {}).code);
      expect(workgroupSize, name).toBeGreaterThan(0);
      // The least that WebGPU promises.
      expect(workgroupBytes, name).toBeLessThanOrEqual(16384);
    }
  });
});

describe('how many workgroups an adapter holds', () => {
  it('is its cores where it is software', () => {
    const { resident, text } = holderOf({ isSoftware: true, description: 'llvmpipe' });
    expect(resident({ workgroupSize: 256, workgroupBytes: 32768 })).toBeGreaterThan(0);
    expect(text).toContain('processor cores');
  });

  it('follows from invocations, memory and groups of a GPU that is known', () => {
    const { resident, text } = holderOf({ isSoftware: false, description: 'NVIDIA H200' });
    expect(resident({ workgroupSize: 256, workgroupBytes: 0 })).toBe(132 * 8);
    expect(resident({ workgroupSize: 64, workgroupBytes: 0 })).toBe(132 * 32);
    expect(resident({ workgroupSize: 64, workgroupBytes: 32 * 1024 })).toBe(132 * 7);
    expect(text).toContain('132 · min(⌊2048 / size⌋, ⌊233472 / bytes⌋, 32)');
  });

  it('is not guessed for another', () => {
    const { resident, text } = holderOf({ isSoftware: false, description: 'Some GPU' });
    expect(resident({ workgroupSize: 64, workgroupBytes: 0 })).toBeNull();
    expect(text).toContain('not known');
  });
});

describe('what bounds a kernel', () => {
  const info = { isSoftware: false, description: 'NVIDIA H200' };
  const peak = { gflops: 1000, gbps: 10 };
  const command = (flops: number, bytes: number, groups = 132 * 64): DispatchCommand => {
    const code = '@compute @workgroup_size(64) fn main() {}';
    const part = { kind: 'dispatch', groups: [groups, 1, 1], pipeline: { shader: { code } } };
    const request = { op: 'op', shader: 'kernel', flops, bytes, bindings: {}, groups };
    return { ...part, request } as unknown as DispatchCommand;
  };
  const explain = (
    commands: DispatchCommand[],
    cost: { flops: number; bytes: number },
    ms: number,
  ) => explainKernel(info, commands, cost, peak, { ms, dispatchMs: commands.map(() => ms) });

  it('is the larger of the times at both peaks', () => {
    const compute = { flops: 2e9, bytes: 1e6 };
    const one = explain([command(2e9, 1e6)], compute, 2.5);
    expect(one).toMatchObject({ computeMs: 2, memoryMs: 0.1, limitMs: 2, bound: 'compute' });
    expect(one).toMatchObject({ intensity: 2000, ridge: 100, percentOfLimit: 80 });
    expect(one.finding).toBe('bound by arithmetic');
    const memory = { flops: 1e6, bytes: 20e6 };
    const two = explain([command(1e6, 20e6)], memory, 2.5);
    expect(two).toMatchObject({
      limitMs: 2,
      bound: 'memory',
      finding: 'bound by memory bandwidth',
    });
    expect(explain([command(1e6, 20e6)], memory, 1).finding).toContain('stay in a cache');
  });

  it('is idle multiprocessors where workgroups are few', () => {
    const cost = { flops: 2e9, bytes: 1e6 };
    const { finding, dispatches } = explain([command(2e9, 1e6, 100)], cost, 20);
    expect(finding).toBe('kernel has 100 workgroups where 4224 fit: part of the adapter is idle');
    expect(dispatches[0]).toMatchObject({ resident: 4224, rounds: 1, workgroupSize: 64 });
  });

  it('is what the kernel moves besides, where its dispatches do more than the op must', () => {
    const cost = { flops: 2e9, bytes: 1e6 };
    const { finding, kernelLimitMs } = explain([command(0, 40e6), command(1e9, 0)], cost, 10);
    expect(kernelLimitMs).toBeCloseTo(5, 9);
    expect(finding).toContain('50 % of the time is accounted for by their own limits');
  });

  it('is left open where nothing that is counted explains it', () => {
    const cost = { flops: 2e9, bytes: 1e6 };
    const explained = explain([command(2e9, 1e6)], cost, 20);
    expect(explained.finding).toContain('neither peak binds');
    const lines = explanationLines('conv2d', { explain: explained, ms: 20, peak });
    expect(lines.slice(0, 3)).toEqual([
      'conv2d',
      '  counts    2.00 GFLOP and 1.00 MB at the least: 2000 FLOP/byte, the peaks meet at 100',
      '  limit     2.00 ms by compute: 2.00 ms at 1000 GFLOP/s, 0.100 ms at 10.0 GB/s',
    ]);
    expect(lines[4]).toBe(
      '  kernel: 8448 workgroups of 64 with 0 B, 2 rounds of 4224, 20.0 ms, limit 2.00 ms',
    );
  });
});
