import { expect, test } from 'vitest';
import { checkExports } from '../../scripts/check_exports.mjs';
import { makeProject } from './fixture.js';

const check = (files: Record<string, string>): string[] => checkExports(makeProject(files));
const unused = (place: string, name: string): string =>
  `${place}: exports ${name}, which no other file imports`;

test('an export that its own file alone uses is found, by its line', () => {
  const text = 'const a = 1;\nexport const b = a;\nexport function c() {\n  return b;\n}\n';
  expect(check({ 'src/a.ts': text, 'src/b.ts': "import { c } from './a.js';\nc();\n" })).toEqual([
    unused('src/a.ts:2', 'b'),
  ]);
});

test.each([
  ['src/b.ts', "import { a } from './a.js';"],
  ['src/b.ts', "import { a as other } from './a.js';"],
  ['src/b.ts', "import type { a } from './a.js';"],
  ['src/b.ts', "import * as all from './a.js';"],
  ['src/b.ts', "const { a } = await import('./a.js');"],
  ['src/b.ts', "const { a: other } = await import('./a.js');"],
  ['src/b.ts', "(await import('./a.js')).a();"],
  ['src/b.ts', "const all = await import('./a.js');"],
  ['src/b.ts', "type A = import('./a.js').a;"],
  ['src/b/c.ts', "import { a } from '../a.js';"],
  ['test/b.test.ts', "import { a } from '../src/a.js';"],
  ['bench/b.mjs', "import { a } from '../dist/a.js';"],
  ['scripts/b.mjs', "const { a } = await load('dist/a.js');"],
])('%s uses it: %s', (path, text) => {
  expect(check({ 'src/a.ts': 'export const a = 1;\n', [path]: text })).toEqual([]);
});

test.each([
  "import { other } from './a.js';",
  "import { a } from './another.js';",
  "const { other } = await import('./a.js');",
  "import './a.js';",
  "// import { a } from './a.js';",
])('no use of it: %s', (text) => {
  const files = { 'src/a.ts': 'export const a = 1;\n', 'src/another.ts': '', 'src/b.ts': text };
  expect(check(files)).toEqual([unused('src/a.ts:1', 'a')]);
});

test('what package.json names is for everybody, and what it passes on', () => {
  const files = {
    'package.json': '{ "exports": { "./more": { "default": "./dist/more/index.js" } } }',
    'src/more/index.ts': "export { a } from './a.js';\nexport * from './b.js';\n",
    'src/more/a.ts': 'export const a = 1;\nexport const hidden = 1;\n',
    'src/more/b.ts': 'export const b = 1;\n',
  };
  expect(check(files)).toEqual([unused('src/more/a.ts:2', 'hidden')]);
});

test('passing a name on is no use of it', () => {
  const files = {
    'src/index.ts': "export { a } from './a.js';\nexport * from './b.js';\n",
    'src/a.ts': 'export const a = 1;\n',
    'src/b.ts': 'export const b = 1;\nexport const c = 1;\n',
    'src/c.ts': "import { c } from './index.js';",
  };
  expect(check(files)).toEqual([unused('src/b.ts:1', 'b'), unused('src/index.ts:1', 'a')]);
});

test('a type may be exported with the declaration it belongs to', () => {
  const text =
    'export interface Options {\n  inner: Inner;\n}\ntype Alias = Deep;\nexport interface Inner {}\n' +
    'export interface Deep {}\nexport interface Alone { me: Alone }\n' +
    'export function run(options: Options): Alias {\n  const inside: Local = {};\n}\n' +
    'export interface Local {}\n';
  const found = check({ 'src/a.ts': text, 'src/b.ts': "import { run } from './a.js';" });
  expect(found).toEqual([unused('src/a.ts:7', 'Alone'), unused('src/a.ts:11', 'Local')]);
});
