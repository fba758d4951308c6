import { expect, test } from 'vitest';
import { checkInventory } from '../../scripts/check_inventory.mjs';
import { makeProject } from './fixture.js';

const WHOLE = {
  'src/autograd/ops/conv2d.ts': '',
  'src/autograd/ops/index.ts': '',
  'src/kernels/conv2d.ts': '',
  'src/reference/conv2d.ts': '',
  'test/cases/conv2d.ts': '',
  'test/cases/types.ts': '',
  'docs/ops/conv2d.md': '',
  'shaders/conv2d_forward_naive.wgsl': '',
};

test('an op with all its files passes, and so does a view without kernel', () => {
  const view = {
    'src/autograd/ops/reshape.ts': '',
    'src/reference/reshape.ts': '',
    'test/cases/reshape.ts': '',
    'docs/ops/reshape.md': '',
  };
  expect(checkInventory(makeProject({ ...WHOLE, ...view }))).toEqual([]);
});

test.each([
  ['src/kernels/conv2d.ts', 'conv2d: no src/kernels/conv2d.ts'],
  ['src/reference/conv2d.ts', 'conv2d: no src/reference/conv2d.ts'],
  ['test/cases/conv2d.ts', 'conv2d: no test/cases/conv2d.ts'],
  ['docs/ops/conv2d.md', 'conv2d: no docs/ops/conv2d.md'],
  ['shaders/conv2d_forward_naive.wgsl', 'conv2d: no shaders/conv2d_*naive*.wgsl'],
])('misses %s', (path, wanted) => {
  const files = Object.fromEntries(Object.entries(WHOLE).filter(([name]) => name !== path));
  expect(checkInventory(makeProject(files))).toEqual([wanted]);
});

test.each([
  ['shaders/conv3d_naive.wgsl', 'begins with no op and no launcher'],
  ['docs/ops/conv3d.md', 'no record src/autograd/ops/conv3d.ts'],
  ['test/cases/conv3d.ts', 'no record src/autograd/ops/conv3d.ts'],
])('finds the stray %s', (path, wanted) => {
  const found = checkInventory(makeProject({ ...WHOLE, [path]: '' }));
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(path);
  expect(found[0]).toContain(wanted);
});

test('an op with several kernels has its launcher in a folder', () => {
  const { 'src/kernels/conv2d.ts': launcher, ...rest } = WHOLE;
  const inFolder = { ...rest, 'src/kernels/conv2d/conv2d.ts': launcher };
  expect(checkInventory(makeProject(inFolder))).toEqual([]);
  const without = { ...rest, 'src/kernels/conv2d/tiled.ts': '' };
  expect(checkInventory(makeProject(without))).toEqual(['conv2d: no src/kernels/conv2d/conv2d.ts']);
});

test.each(['src/kernels/accumulate.ts', 'src/kernels/lib/accumulate.ts'])(
  'a shader may belong to %s, which serves no op',
  (launcher) => {
    const files = { [launcher]: '', 'shaders/accumulate_vec4.wgsl': '' };
    expect(checkInventory(makeProject({ ...WHOLE, ...files }))).toEqual([]);
  },
);

test('a launcher that several kernels share is not that of an op', () => {
  const { 'src/kernels/conv2d.ts': launcher, ...rest } = WHOLE;
  const inLib = { ...rest, 'src/kernels/lib/conv2d.ts': launcher };
  expect(checkInventory(makeProject(inLib))).toEqual(['conv2d: no src/kernels/conv2d.ts']);
});

test('an empty project does not pass for a whole one', () => {
  expect(checkInventory(makeProject({}))).toEqual(['src/autograd/ops: no records found']);
});
