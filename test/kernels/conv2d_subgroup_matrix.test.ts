import { describe, expect, it } from 'vitest';
import { create, globals } from 'webgpu';
import { conv2d } from '../../src/autograd/ops/conv2d.js';
import type { DeviceInfo } from '../../src/gpu/adapter.js';
import { loadShader } from '../../src/gpu/shader.js';
import { castArray } from '../../src/kernels/cast.js';
import { conv2dForward, conv2dVariants, resolveVariants } from '../../src/kernels/conv2d.js';
import { conv2dReference } from '../../src/reference/conv2d.js';
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
        resolveVariants({ forward: 'subgroupMatrix' }, shape, { ...capable, ...changes }, operands),
      );
    expect(conv2dVariants('forward', geometry, capable, types)).toContain('subgroupMatrix');
    expect(conv2dVariants('gradInput', geometry, capable, types)).not.toContain('subgroupMatrix');
    expect(resolveVariants(undefined, geometry, capable, types).forward).toBe('tiled');
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
    for (const edge of [64, 128]) {
      const { code } = loadShader('conv2d_subgroup_matrix', { BM: edge, BN: edge }, 0);
      device.pushErrorScope('validation');
      const module = device.createShaderModule({ code });
      if (edge === 64) {
        const compute = { module, entryPoint: 'main' };
        device.createComputePipeline({ layout: 'auto', compute });
      }
      const error = await device.popErrorScope();
      expect(error?.message).toBeUndefined();
      expect((await module.getCompilationInfo()).messages.map((m) => m.message)).toEqual([]);
    }
    device.destroy();
  });

  it('equals the reference where an adapter has the feature', async () => {
    const device = await testDevice();
    const { runtime, info } = device;
    const values = (size: number, step: number) =>
      Float64Array.from({ length: size }, (_, i) => ((i * step) % 15) - 7);
    const cases: [number[], number[], object][] = [
      [[2, 9, 8, 12], [3, 3, 12, 20], { padding: 1 }],
      [[1, 24, 24, 16], [3, 3, 16, 136], { stride: 2, padding: 'same' }],
      [[1, 9, 9, 16], [3, 3, 8, 16], { groups: 2, dilation: 2 }],
    ];
    for (const [xShape, wShape, options] of cases) {
      const { geometry, types } = planOf(xShape, wShape, options);
      if (!conv2dVariants('forward', geometry, info, types).includes('subgroupMatrix')) {
        console.log(`skipped: ${info.description} has no subgroup matrices that fit`);
        return;
      }
      const size = (shape: number[]) => shape.reduce((a, b) => a * b, 1);
      const x = { shape: xShape, data: values(size(xShape), 4) };
      const w = { shape: wShape, data: values(size(wShape), 7) };
      const bias = { shape: [wShape[3]], data: values(wShape[3], 2) };
      const yShape = [geometry.n, geometry.p, geometry.q, geometry.k];
      const residual = { shape: yShape, data: values(size(yShape), 3) };
      const inputs = { x, w, bias, residual };
      const { y } = conv2dReference.forward(inputs, { ...options, activation: 'relu' });
      const upload = ({ shape, data }: { shape: number[]; data: Float64Array }) =>
        device.tensor(Float32Array.from(data), shape);
      const wide = [upload(x), upload(w), upload(bias)] as const;
      const [x16, w16] = wide.slice(0, 2).map((t) => castArray(runtime, t.gpuArray, 'f16'));
      const got = conv2dForward(runtime, x16, w16, wide[2].gpuArray, geometry, {
        ...{ activation: 'relu', residual: upload(residual).gpuArray },
        variant: 'subgroupMatrix',
      });
      expect(Array.from(new Float32Array(await runtime.read(got)))).toEqual(Array.from(y.data));
    }
  });
});
