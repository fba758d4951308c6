import { describe, expect, it } from 'vitest';
import { windowGeometry } from '../../src/kernels/lib/window_geometry.js';
import {
  convolutionKey,
  f32Operands,
  type Conv2dDirection,
  type Conv2dTypes,
} from '../../src/kernels/conv2d/geometry.js';
import { matmulGeometry, matmulKey } from '../../src/kernels/matmul/geometry.js';
import { describeRequest, parseKey } from '../../src/tune/kernel_key.js';
import { matmulShapes } from '../../src/tune/tunable.js';

const window = windowGeometry(
  'conv2d',
  { h: 9, w: 8, r: 3, s: 2 },
  { stride: [2, 1], padding: 'same', dilation: [1, 2] },
);
const geometry = { n: 4, h: 9, w: 8, c: 6, r: 3, s: 2, k: 10, groups: 2, ...window };
const conv2dKey = (direction: Conv2dDirection, g: typeof geometry, types: Conv2dTypes) =>
  convolutionKey('conv2d', { direction, geometry: g, types });

describe('keys of kernels', () => {
  it('of a convolution give everything back that was put in', () => {
    const types = { x: 'f16', w: 'f32' } as const;
    const key = conv2dKey('gradWeight', geometry, types);
    expect(key).toMatch(/^conv2d gradWeight f16 f32 n=4 h=9 w=8 c=6 r=3 s=2 k=10 p=5 q=8 /);
    expect(parseKey(key)).toEqual({ op: 'conv2d', direction: 'gradWeight', geometry, types });
  });

  it('of a depthwise convolution are its own', () => {
    const depthwise = { ...geometry, k: 12, groups: 6 };
    const request = { op: 'depthwiseConv2d', direction: 'gradInput', types: f32Operands } as const;
    const key = convolutionKey('depthwiseConv2d', { ...request, geometry: depthwise });
    expect(parseKey(key)).toEqual({ ...request, geometry: depthwise });
    expect(key).not.toBe(conv2dKey('gradInput', depthwise, f32Operands));
    expect(describeRequest({ ...request, geometry: depthwise })).toBe(
      'depthwiseConv2d grad-input 4×9×8×6 → 12, 3×2, stride 2×1',
    );
    expect(parseKey(key.replace('f32', 'f16'))).toBeNull();
    expect(parseKey(key.replace('groups=6', 'groups=2'))).toBeNull();
  });

  it('differ wherever a number or a type differs', () => {
    const types = { x: 'f32', w: 'f32' } as const;
    const keys = Object.keys(geometry).map((name) => {
      const field = name as keyof typeof geometry;
      return conv2dKey('forward', { ...geometry, [field]: geometry[field] + 1 }, types);
    });
    keys.push(
      conv2dKey('forward', geometry, types),
      conv2dKey('gradInput', geometry, types),
      conv2dKey('forward', geometry, { x: 'f32', w: 'f16' }),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  it.each([
    [[3, 5], [5, 7], {}],
    [[5, 3], [7, 5], { transposeA: true, transposeB: true }],
    [[2, 3, 5], [5, 7], {}],
    [[2, 5, 3], [5, 7], { transposeA: true }],
    [[4, 1, 3, 5], [6, 5, 7], {}],
    [[2, 1, 4, 3, 5], [1, 6, 4, 7, 5], { transposeB: true }],
  ])('of a product %j · %j %j name operands of the same product', (a, b, transposes) => {
    const given = matmulGeometry(a, b, transposes);
    const key = matmulKey({ geometry: given, types: ['f32', 'f16'] });
    const request = parseKey(key);
    if (request?.op !== 'matmul') return expect.fail(`not read back: ${key}`);
    const [first, second] = matmulShapes(request.geometry);
    const again = matmulGeometry(first, second, request.geometry);
    expect({ ...again, leading: [] }).toEqual({ ...given, leading: [] });
    expect(request.types).toEqual(['f32', 'f16']);
  });

  it('are told from other texts', () => {
    const good = conv2dKey('forward', geometry, { x: 'f32', w: 'f32' });
    for (const bad of [
      '',
      'conv2d',
      good.replace('n=4', 'n=x'),
      `${good} more=1`,
      'pool f32 f32',
    ]) {
      expect(parseKey(bad), bad).toBeNull();
    }
    expect(parseKey(good.replace('forward', 'sideways'))).toBeNull();
  });

  it('are shown to people by op, direction and shape', () => {
    const types = { x: 'f32', w: 'f32' } as const;
    expect(describeRequest({ op: 'conv2d', direction: 'gradInput', geometry, types })).toBe(
      'conv2d grad-input 4×9×8×6 → 10, 3×2, stride 2×1, 2 groups',
    );
    const product = matmulGeometry([8, 2, 3], [8, 3, 5], {});
    expect(describeRequest({ op: 'matmul', geometry: product, types: ['f32', 'f16'] })).toBe(
      'matmul a·b 8 of 2×3·3×5, f32 and f16',
    );
  });
});
