import { describe, expect, it } from 'vitest';
import { loadShader, packParams, type ParamValues } from '../../src/gpu/shader.js';

describe('parameters in structs', () => {
  const shader = loadShader('matmul_forward_subgroup8_pair', {});
  const product = (m: number) => ({
    ...{ batch_shape: [1, 2, 3, 4], m, n: 6, k: 7, batches: 8, a_repeats: 9, b_repeats: 10 },
    ...{ depth: 11, transpose_a: 12, transpose_b: 13, added: 14, clamp_range: [0.5, 1.5] },
  });
  const values = { first: product(5), second: product(55), first_groups: 15, second_groups: 16 };

  it('lie as WGSL puts a struct into a uniform buffer', () => {
    const words = new Uint32Array(packParams(shader, values)!);
    const range = [...new Uint32Array(Float32Array.of(0.5, 1.5).buffer)];
    // A vec2 lies on 8 bytes, and a struct with a vec4 takes a multiple of 16.
    const laidOut = (m: number) => [1, 2, 3, 4, m, 6, 7, 8, 9, 10, 11, 12, 13, 14, ...range];
    expect([...words]).toEqual([...laidOut(5), ...laidOut(55), 15, 16, 0, 0]);
  });

  it('are missed and refused by their whole names', () => {
    const incomplete: ParamValues = product(5);
    delete incomplete.m;
    expect(() => packParams(shader, { ...values, second: incomplete })).toThrow(
      'shaders/matmul_forward_subgroup8_pair.wgsl: Params second.m not given',
    );
    expect(() => packParams(shader, { ...values, first: { ...product(5), q: 1 } })).toThrow(
      'Params has no field first.q',
    );
    expect(() =>
      packParams(shader, { ...values, first: { ...product(5), clamp_range: 1 } }),
    ).toThrow('Params first.clamp_range has 2 components, got 1');
  });
});
