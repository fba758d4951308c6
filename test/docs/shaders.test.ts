import { expect, it } from 'vitest';
import { createDevice } from '../../src/index.js';

it('a shader that does not compile is told with its place, line and values', async () => {
  using device = await createDevice();
  const { runtime } = device;
  const [a, b, bias, residual, y] = [1, 2, 3, 4, 5].map(() => device.ones([4]).gpuArray);
  runtime.dispatch({
    shader: 'matmul_forward_tiled',
    op: 'matmul',
    tune: { TILE_M: 30 },
    bindings: { a, b, bias, residual, y },
    params: {
      ...{ batch_shape: [1, 1, 1, 1], batches: 1, a_repeats: 1, b_repeats: 1 },
      ...{ m: 1, n: 1, k: 1, depth: 16 },
    },
    groups: 1,
  });
  const error = await device.sync().then(
    () => null,
    (cause: unknown) => cause as Error,
  );
  expect(error?.constructor.name).toBe('ShaderError');
  const line = 'const_assert TILE_M % ROWS == 0u && TILE_N % COLUMNS == 0u;';
  expect(error?.message).toMatch(
    /^shaders\/matmul_forward_tiled\.wgsl:\d+:1: const assertion failed/,
  );
  expect(error?.message).toContain(`\n${line}\n^\nwith {"TILE_M":30}`);
});
