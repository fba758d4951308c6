import { describe, expect, it } from 'vitest';
import { create, globals } from 'webgpu';
import { conv2d } from '../../src/autograd/ops/conv2d.js';
import type { DeviceInfo } from '../../src/gpu/adapter.js';
import { loadShader } from '../../src/gpu/shader.js';
import { castArray } from '../../src/kernels/cast.js';
import { withOldMatrixCalls } from '../../src/gpu/matrix_calls.js';
import {
  conv2dForward,
  conv2dGradInput,
  conv2dGradWeight,
} from '../../src/kernels/conv2d/conv2d.js';
import { conv2dReference } from '../../src/reference/conv2d.js';
import { createDevice, type Device } from '../../src/device.js';
import type { GpuArray } from '../../src/gpu/array.js';
import { resolved, supported } from '../helpers/conv2d_variants.js';
import { testDevice } from '../helpers/device.js';

/** An adapter with all that the kernel asks for. */
const capable: DeviceInfo = {
  ...{ vendor: '', architecture: '', description: '', backend: '', isSoftware: false },
  ...{ subgroupMinSize: 32, subgroupMaxSize: 32 },
  subgroupMatrixConfigs: [
    { componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16 },
  ],
  features: ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'],
  limits: {},
};

const f16 = (shape: number[]) => ({ shape, dtype: 'f16' as const });
const planOf = (x: number[], w: number[], options = {}) =>
  conv2d.shape({ x: f16(x), w: f16(w) }, options);

describe('convolution by subgroup matrices', () => {
  it('fits only where every need is met, and is never chosen', () => {
    const { geometry, types } = planOf([2, 8, 8, 16], [3, 3, 16, 32]);
    const reasonOn = (changes: Partial<DeviceInfo>, operands = types, shape = geometry) =>
      expect(() =>
        resolved({ forward: 'subgroupMatrix' }, shape, { ...capable, ...changes }, operands),
      );
    expect(supported('forward', geometry, capable, types)).toContain('subgroupMatrix');
    // dy is f32 until these kernels round it.
    for (const [direction, operands] of [
      ['gradInput', { x: 'f32', w: 'f16' }],
      ['gradWeight', { x: 'f16', w: 'f32' }],
    ] as const) {
      const fitting = supported(direction, geometry, capable, operands);
      expect(fitting).toContain('subgroupMatrix');
    }
    expect(resolved(undefined, geometry, capable, types).forward).toBe('tiled');
    reasonOn({}).not.toThrow();
    for (const name of capable.features) {
      const features = capable.features.filter((other) => other !== name);
      reasonOn({ features }).toThrow(`forward: it needs the feature ${name}`);
    }
    reasonOn({ subgroupMinSize: 8 }).toThrow(/exactly 32 lanes, this adapter has 8 to 32/);
    reasonOn({ subgroupMatrixConfigs: [] }).toThrow(/f16 16×16×16 with results of f32/);
    const [config] = capable.subgroupMatrixConfigs;
    reasonOn({ subgroupMatrixConfigs: [{ ...config, N: 8 }] }).toThrow(/f16 16×16×16/);
    reasonOn({ subgroupMatrixConfigs: [{ ...config, resultComponentType: 'f16' }] }).toThrow(
      /f16 16×16×16/,
    );
    reasonOn({}, { x: 'f16', w: 'f32' }).toThrow(/it needs operands of f16/);
    const ragged = planOf([2, 8, 8, 6], [3, 3, 6, 32]);
    reasonOn({}, types, ragged.geometry).toThrow(/multiples of 4, got 6 and 32/);
  });

  it('is valid WGSL, as a pipeline of 64×64 tiles and as a module of 128×128', async () => {
    Object.assign(globalThis, globals);
    const instance = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
    // Kept referenced: Dawn crashes when its instance is collected while it is in use.
    Object.assign(globalThis, { nullInstance: instance });
    const adapter = await instance.requestAdapter();
    const device = await adapter!.requestDevice({
      requiredFeatures: capable.features as GPUFeatureName[],
    });
    for (const name of ['conv2d_forward_subgroup_matrix', 'conv2d_grad_weight_subgroup_matrix']) {
      for (const edge of [64, 128]) {
        const { code } = loadShader(name, { BM: edge, BN: edge });
        const compile = async (text: string): Promise<string[]> => {
          device.pushErrorScope('validation');
          const module = device.createShaderModule({ code: text });
          if (edge === 64) {
            const compute = { module, entryPoint: 'main' };
            device.createComputePipeline({ layout: 'auto', compute });
          }
          const error = await device.popErrorScope();
          expect(error?.message).toBeUndefined();
          return (await module.getCompilationInfo()).messages.map((m) => m.message);
        };
        expect(await compile(code)).toEqual([]);
        // This Dawn still takes the calls of old, with a warning for each.
        const old = withOldMatrixCalls(code);
        expect(old).not.toMatch(/_major/);
        expect(new Set(await compile(old))).toEqual(new Set(['use of deprecated builtin']));
      }
    }
    device.destroy();
  });

  it('equals the reference where an adapter has the feature', async () => {
    const device = await testDevice();
    const { geometry, types } = planOf(cases[0][0], cases[0][1]);
    if (!supported('forward', geometry, device.info, types).includes('subgroupMatrix')) {
      console.log(`skipped: ${device.info.description} has no subgroup matrices that fit`);
      return;
    }
    await compareWithReference(device);
  });

  it('equals the reference with matrices that are emulated', async () => {
    using device = await createDevice();
    const { info, pipelines } = device.runtime;
    if (!info.features.includes('shader-f16')) {
      console.log(`skipped: ${info.description} has no shader-f16`);
      return;
    }
    const { subgroupMinSize, subgroupMaxSize, subgroupMatrixConfigs } = capable;
    Object.assign(info, { subgroupMinSize, subgroupMaxSize, subgroupMatrixConfigs });
    info.features = [...info.features, ...capable.features];
    // Tiles of 64×64: those of 128×128 take minutes to compile without matrices.
    info.limits.maxComputeWorkgroupStorageSize = 16384;
    Object.assign(pipelines, { translate: emulated });
    await compareWithReference(device);
  });
});

const cases: [x: number[], w: number[], options: object][] = [
  [[2, 9, 8, 12], [3, 3, 12, 20], { padding: 1 }],
  [[1, 24, 24, 16], [3, 3, 16, 136], { stride: 2, padding: 'same' }],
  [[1, 9, 9, 16], [3, 3, 8, 16], { groups: 2, dilation: 2 }],
  [[3, 6, 5, 72], [1, 1, 72, 68], {}],
];

/** Small integers are exact in f16. */
async function compareWithReference(device: Device): Promise<void> {
  const { runtime } = device;
  const size = (shape: number[]) => shape.reduce((a, b) => a * b, 1);
  const integers = (shape: number[], step: number) => ({
    shape,
    data: Float64Array.from({ length: size(shape) }, (_, i) => ((i * step) % 15) - 7),
  });
  const upload = ({ shape, data }: { shape: number[]; data: Float64Array }) =>
    device.tensor(Float32Array.from(data), shape);
  const variant = 'subgroupMatrix' as const;
  for (const [xShape, wShape, options] of cases) {
    const { geometry } = planOf(xShape, wShape, options);
    const yShape = [geometry.n, geometry.p, geometry.q, geometry.k];
    const [x, w] = [integers(xShape, 4), integers(wShape, 7)];
    const [bias, residual] = [integers([geometry.k], 2), integers(yShape, 3)];
    const dy = integers(yShape, 11);
    const inputs = { x, w, bias, residual };
    const { y } = conv2dReference.forward(inputs, { ...options, activation: 'relu' });
    const gradients = conv2dReference.backward({ x, w }, options, dy);

    const tensors = [x, w, bias, residual, dy].map(upload);
    const [wideX, wideW, b, added, errors] = tensors.map((tensor) => tensor.gpuArray);
    const [x16, w16] = [wideX, wideW].map((array) => castArray(runtime, array, 'f16'));
    const expectExact = async (got: GpuArray, wanted: ArrayLike<number>) => {
      const bytes = await runtime.read(got);
      expect(Array.from(new Float32Array(bytes))).toEqual(Array.from(wanted));
    };
    const epilogue = { activation: 'relu', residual: added } as const;
    const got = conv2dForward(runtime, x16, w16, b, geometry, { ...epilogue, variant });
    await expectExact(got, y.data);
    const dx = conv2dGradInput(runtime, errors, w16, geometry, { variant });
    await expectExact(dx, gradients.x.data);
    const dw = conv2dGradWeight(runtime, x16, errors, geometry, { variant });
    await expectExact(dw, gradients.w.data);
    for (const tensor of tensors) tensor.dispose();
  }
}

/**
 * The same shader without the feature: a matrix is a place in a tile, and of a matrix of sums each of
 * 32 lanes holds eight neighbours of one row. Shows that every index is right, on any adapter.
 */
function emulated(code: string): string {
  if (!code.includes('subgroup_matrix')) return code;
  const right = /var<workgroup> (\w+)_tile: array<f16, BK \* \w+>;\s*var<workgroup> stage/.exec(
    code,
  )![1];
  const helpers = `
struct Place { at: u32, stride: u32, is_columns: bool }
fn index_of(m: Place, row: u32, column: u32) -> u32 {
  return m.at + select(row * m.stride + column, column * m.stride + row, m.is_columns);
}
fn multiply(a: Place, b: Place, sums: Sums, lane: u32) -> Sums {
  var result = sums;
  // Loops whose length the compiler cannot tell, lest it unroll them all.
  let some = min(params.groups, 1u);
  for (var i = 0u; i < 8u * some; i++) {
    for (var k = 0u; k < 16u * some; k++) {
      let left = f32(x_tile[index_of(a, lane / 2u, k)]);
      result[i] += left * f32(${right}_tile[index_of(b, k, lane % 2u * 8u + i)]);
    }
  }
  return result;
}
fn put(at: u32, sums: Sums, stride: u32, lane: u32) {
  for (var i = 0u; i < 8u; i++) {
    stage[at + lane / 2u * stride + lane % 2u * 8u + i] = sums[i];
  }
}`;
  return (
    code
      .replace(/enable (subgroups|chromium_experimental_subgroup_matrix);/g, '')
      .replace(/subgroup_matrix_(left|right)<f16, 16, 16>/g, 'Place')
      .replace('subgroup_matrix_result<f32, 16, 16>', 'array<f32, 8>')
      .replace(/subgroupMatrixLoad<\w+, (row|col)_major>\(&\w+, (\w+), (\w+)\)/g, (_, ...parts) => {
        const [layout, at, stride] = parts as string[];
        return `Place(${at}, ${stride}, ${layout === 'col'})`;
      })
      .replace(/subgroupMatrixMultiplyAccumulate\((.*)\);/g, 'multiply($1, lane);')
      .replace(/subgroupMatrixStore<row_major>\(&stage, (.*)\);/g, 'put($1, lane);')
      .replace(/ +@builtin\(subgroup_(id|invocation_id)\).*\n/g, '')
      .replace(/\n\) \{\n/, '\n) {\n  let subgroup = local / 32u;\n  let lane = local % 32u;\n') +
    helpers
  );
}
