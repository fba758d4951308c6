import { expect, test } from 'vitest';
import { checkImports } from '../../scripts/check_imports.mjs';
import { makeProject } from './fixture.js';

function findings(files: Record<string, string>): string[] {
  return checkImports(makeProject(files));
}

test('imports that go down, stay level or name only types pass', () => {
  const files = {
    'src/cli/main.ts':
      "import { Command } from 'commander';\nimport { fit } from '../train/fit.js';",
    'src/train/fit.ts': "import fs from 'node:fs';\nimport { Tensor } from '../tensor.js';",
    'src/tensor.ts': "import { fill } from './kernels/fill.js';\nimport './ops/list.js';",
    'src/gpu/shader.ts': "import { shaderText } from '#platform';",
    'src/gpu/platform/node.ts': "import { create } from 'webgpu';\nprocess.exit();",
    'src/reference/conv2d.ts': "import type { Plan } from '../kernels/conv2d.js';",
    'test/cases/conv2d.ts': "import { type Case } from '../../src/autograd/record.js';",
    'bench/peers/tfjs.ts': "import * as tf from '@tensorflow/tfjs';",
  };
  expect(findings(files)).toEqual([]);
});

test.each([
  ['up a layer', 'src/gpu/a.ts', "import { x } from '../kernels/b.js';", 'gpu lies below kernels'],
  [
    'up by type',
    'src/kernels/a.ts',
    "import type { T } from '../tensor.js';",
    'lies below tensor.ts',
  ],
  ['up by re-export', 'src/data/a.ts', "export * from '../train/b.js';", 'data lies below train'],
  ['up at run time', 'src/nn/a.ts', "const m = await import('../cli/b.js');", 'nn lies below cli'],
  [
    'core to data',
    'src/models/a.ts',
    "import { x } from '../data/b.js';",
    'does not depend on data',
  ],
  ['Node in the core', 'src/nn/a.ts', "import { join } from 'node:path';", 'nothing of Node'],
  ['package in the core', 'src/optim/a.ts', "import sharp from 'sharp';", 'no packages'],
  ['Node global in the core', 'src/tensor.ts', 'const v = process.env.X;', "uses Node's process"],
  ['leaf to src', 'src/reference/a.ts', "import { x } from '../tensor.js';", 'imports only types'],
  ['case to src', 'test/cases/a.ts', "import { x } from '../../src/tensor.js';", 'only types'],
  ['leaf to package', 'src/reference/a.ts', "import fs from 'node:fs';", 'import no packages'],
  ['src to the oracle', 'src/kernels/a.ts', "import { x } from '../reference/b.js';", 'oracle'],
  ['a framework', 'src/train/a.ts', "import * as tf from '@tensorflow/tfjs';", 'bench/peers only'],
  ['a framework in tests', 'test/a.test.ts', "import 'onnxruntime-node';", 'bench/peers only'],
  ['a folder without a layer', 'src/util/a.ts', "import { x } from '../gpu/b.js';", 'no place'],
  ['src to test', 'src/train/a.ts', "import { x } from '../../test/b.js';", 'not part of src'],
])('finds an import that goes %s', (_title, path, text, wanted) => {
  const found = findings({ [path]: `// one line before\n${text}` });
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(`${path}:2: `);
  expect(found[0]).toContain(wanted);
});

test('imports in comments and multi-line imports are told apart', () => {
  const text =
    "// import x from 'node:fs';\n/* import 'sharp'; */\nimport {\n  a,\n  b,\n} from 'node:os';";
  expect(findings({ 'src/gpu/a.ts': text })).toEqual([
    'src/gpu/a.ts:3: imports node:os; the core imports nothing of Node',
  ]);
});

test('a name of the file itself is not the global of Node', () => {
  const files = {
    'src/nn/parameter.ts': 'export class Buffer {}\nexport const none = new Buffer();',
    'src/nn/norm.ts': "import { Buffer } from './parameter.js';\nconst mean = new Buffer(3);",
    'src/nn/conv.ts': 'const bytes = new Buffer(3);',
  };
  expect(findings(files)).toEqual([
    "src/nn/conv.ts:1: uses Node's Buffer; the core also runs in a browser",
  ]);
});

test('an import inside a string is none', () => {
  expect(findings({ 'src/gpu/a.ts': 'const text = "import fs from \'node:fs\';";' })).toEqual([]);
});

test('the words of a string are no use of a global', () => {
  expect(findings({ 'src/gpu/a.ts': "throw new Error('the process (of Dawn)');" })).toEqual([]);
});

test('a circle of imports is found, and named once with all its files', () => {
  const files = {
    'src/gpu/a.ts': "import { b } from './b.js';",
    'src/gpu/b.ts': "export * from './c.js';",
    'src/gpu/c.ts': "import './a.js';\nimport { d } from './d.js';",
    'src/gpu/d.ts': "import type { A } from './a.js';",
    'src/gpu/e.ts': "import { a } from './a.js';",
    'src/gpu/self.ts': "import { x } from './self.js';",
  };
  expect(findings(files)).toEqual([
    'src/gpu/a.ts: in a circle of imports with src/gpu/b.ts, src/gpu/c.ts',
    'src/gpu/self.ts: in a circle of imports with itself',
  ]);
});

test('types and imports at run time make no circle', () => {
  const files = {
    'src/gpu/a.ts': "import { b } from './b.js';",
    'src/gpu/b.ts': "import type { A } from './a.js';\nimport { type B } from './a.js';",
    'src/gpu/c.ts': "import { a } from './a.js';\nconst later = () => import('./d.js');",
    'src/gpu/d.ts': "import { c } from './c.js';",
  };
  expect(findings(files)).toEqual([]);
});
