import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check, resolveConfig } from 'prettier';
import { expect, onTestFinished, test } from 'vitest';
import { checkExports } from '../../scripts/check_exports.mjs';
import { checkInventory } from '../../scripts/check_inventory.mjs';
import { checkImports } from '../../scripts/check_imports.mjs';
import { newOp } from '../../scripts/new.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A folder with these parts of the checkout, which is gone when the test ends. */
function copyOf(...paths: string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'tilegrad-new-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const path of paths) cpSync(join(ROOT, path), join(root, path), { recursive: true });
  return root;
}

const LISTS = [
  'package.json',
  '.prettierrc',
  'src/autograd/ops/index.ts',
  'src/ops/index.ts',
  'src/reference/index.ts',
  'src/tensor.ts',
  'scripts/docs.mjs',
];

test('writes every file of an op that runs, and adds it to every list', async () => {
  const root = copyOf(
    ...['package.json', '.prettierrc', 'vitest.config.ts', 'src', 'shaders', 'docs/ops'],
    ...['test/cases', 'test/helpers', 'test/reference.test.ts', 'scripts/docs.mjs'],
  );
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  expect(checkInventory(root)).toEqual([]);
  const { made, changed } = await newOp(root, 'softSign');

  expect(made.sort()).toEqual([
    'docs/ops/soft_sign.md',
    'shaders/soft_sign_backward_naive.wgsl',
    'shaders/soft_sign_forward_naive.wgsl',
    'src/autograd/ops/soft_sign.ts',
    'src/kernels/soft_sign.ts',
    'src/ops/soft_sign.ts',
    'src/reference/soft_sign.ts',
    'test/cases/soft_sign.ts',
    'test/ops/soft_sign.test.ts',
  ]);
  for (const path of made) {
    expect(readFileSync(join(root, path), 'utf8'), path).not.toMatch(/new_?op/i);
  }
  for (const path of [...made, ...changed].filter((name) => !name.endsWith('.wgsl'))) {
    const style = { ...(await resolveConfig(join(ROOT, path))), filepath: path };
    expect(await check(readFileSync(join(root, path), 'utf8'), style), path).toBe(true);
  }

  // Nothing is missing or stray; what is left to write is named in every file.
  const complaints = checkInventory(root);
  expect(complaints.filter((line) => !line.includes('left to write'))).toEqual([]);
  expect([...new Set(complaints.map((line) => line.split(':')[0]))].sort()).toEqual(made);
  expect(checkImports(root)).toEqual([]);
  expect(checkExports(root).filter((line) => line.includes('soft_sign'))).toEqual([]);

  // The generic tests find the op by its lists, and pass.
  const run = spawnSync(
    process.execPath,
    [
      ...[join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=json'],
      ...['test/ops/soft_sign.test.ts', 'test/reference.test.ts', '-t', 'soft_?[sS]ign'],
    ],
    { cwd: root, encoding: 'utf8' },
  );
  const report = JSON.parse(run.stdout.slice(run.stdout.indexOf('{'))) as {
    numPassedTests: number;
    numFailedTests: number;
    testResults: { name: string; assertionResults: { status: string; fullName: string }[] }[];
  };
  expect(report.numFailedTests, run.stdout).toBe(0);
  const passed = report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'passed')
    .map(({ fullName }) => fullName);
  for (const part of ['GPU against float64', 'properties', 'errors', 'central differences']) {
    expect(
      passed.some((name) => name.includes(part)),
      part,
    ).toBe(true);
  }
});

test.each([
  ['SoftSign', 'expected the name of an op in camelCase'],
  ['soft_sign', 'expected the name of an op in camelCase'],
  ['softSIGN', 'expected the name of an op in camelCase'],
  ['9lives', 'expected the name of an op in camelCase'],
  ['../soft', 'expected the name of an op in camelCase'],
  ['delete', 'expected the name of an op in camelCase'],
  ['', 'expected the name of an op in camelCase'],
  ['relu', 'there is an op, or a member of Tensor, named relu already'],
  ['concat', 'there is an op, or a member of Tensor, named concat already'],
  ['list', 'there is an op, or a member of Tensor, named list already'],
  ['backward', 'there is an op, or a member of Tensor, named backward already'],
  ['toString', 'there is an op, or a member of Tensor, named toString already'],
])('refuses the name %j', async (name, message) => {
  const root = copyOf(...LISTS);
  await expect(newOp(root, name)).rejects.toThrow(`new: ${message}`);
  for (const path of LISTS) {
    expect(readFileSync(join(root, path), 'utf8')).toBe(readFileSync(join(ROOT, path), 'utf8'));
  }
});

test.each(['src/kernels/soft_sign.ts', 'src/kernels/soft_sign', 'test/cases/soft_sign.ts'])(
  'writes nothing where there is %s',
  async (path) => {
    const root = copyOf(...LISTS);
    cpSync(join(ROOT, 'package.json'), join(root, path));
    await expect(newOp(root, 'softSign')).rejects.toThrow(`new: there is already ${path}`);
    expect(existsSync(join(root, 'docs'))).toBe(false);
    expect(readFileSync(join(root, path), 'utf8')).toContain('"tilegrad"');
  },
);

test.each([[[]], [['op']], [['op', 'a', 'b']], [['layer', 'softSign']], [['op', 'relu']]])(
  'ends with 2 for the arguments %j',
  (args) => {
    const script = join(ROOT, 'scripts/new.mjs');
    const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^new: .*\nfix: .*\n$/);
  },
);
