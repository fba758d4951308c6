// Every op is whole: a stem with a record in src/autograd/ops has its reference, cases, page, launcher and naive shader,
// and none of them is still the stub that `npm run new` wrote.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runAsProgram } from './check_lib.mjs';

/** Records that need no launcher and no shader of their own, and why. */
const WITHOUT_KERNEL = new Map(
  Object.entries({
    dense: 'matmul, whose kernels have the bias and the activation in their epilogue',
    reshape: 'a view: the same buffer with another shape',
  }),
);

/** Files in the folders of ops that are not ops. */
const NOT_OPS = new Set(['index', 'types']);

/** Shaders that go by another name than the launcher in src/kernels that runs them. */
const SHADER_OF_LAUNCHER = new Map(Object.entries({ arange: 'fill' }));

/**
 * @param {string} root folder of the project
 * @returns {string[]} one line per missing or stray file
 */
export function checkInventory(root) {
  const stems = stemsIn(root, 'src/autograd/ops', 'ts');
  if (stems.length === 0) return ['src/autograd/ops: no records found'];
  const launchers = [
    ...stemsIn(root, 'src/kernels', 'ts'),
    ...stemsIn(root, 'src/kernels/lib', 'ts'),
    ...foldersIn(root, 'src/kernels'),
  ];
  const shaders = stemsIn(root, 'shaders', 'wgsl');
  return [
    ...stems.flatMap((stem) => missingParts(root, stem, shaders)),
    ...stems.flatMap((stem) => stubsOf(root, stem)),
    ...strayShaders(shaders, new Set([...stems, ...launchers])),
    ...strayParts(root, new Set(stems)),
  ];
}

/**
 * @param {string} root
 * @param {string} stem
 * @param {string[]} shaders
 */
function missingParts(root, stem, shaders) {
  const wanted = [`src/reference/${stem}.ts`, `test/cases/${stem}.ts`, `docs/ops/${stem}.md`];
  const failures = [];
  if (!WITHOUT_KERNEL.has(stem)) {
    // An op with several kernels has a folder for them.
    const isFolder = existsSync(join(root, 'src/kernels', stem));
    wanted.push(`src/kernels/${isFolder ? `${stem}/` : ''}${stem}.ts`);
    const isNaive = (/** @type {string} */ name) =>
      name.startsWith(`${stem}_`) && name.split('_').includes('naive');
    if (!shaders.some(isNaive)) failures.push(`${stem}: no shaders/${stem}_*naive*.wgsl`);
  }
  for (const path of wanted) {
    if (!existsSync(join(root, path))) failures.push(`${stem}: no ${path}`);
  }
  return failures;
}

/**
 * What `npm run new` left to write in the files of an op, in the order in which they are written.
 *
 * @param {string} root
 * @param {string} stem
 * @returns {string[]} one line for each STUB
 */
export function stubsOf(root, stem) {
  const shaders = stemsIn(root, 'shaders', 'wgsl').filter((name) => name.startsWith(`${stem}_`));
  return [
    `src/reference/${stem}.ts`,
    `test/cases/${stem}.ts`,
    ...shaders.map((name) => `shaders/${name}.wgsl`),
    `src/kernels/${stem}.ts`,
    `src/autograd/ops/${stem}.ts`,
    `src/ops/${stem}.ts`,
    `test/ops/${stem}.test.ts`,
    `docs/ops/${stem}.md`,
  ].flatMap((path) => {
    if (!existsSync(join(root, path))) return [];
    const lines = readFileSync(join(root, path), 'utf8').split('\n');
    return lines.flatMap((line, index) => {
      const note = /\bSTUB: (.*?)(?: -->)?$/.exec(line)?.[1];
      return note === undefined ? [] : [`${path}:${index + 1}: left to write: ${note}`];
    });
  });
}

/**
 * @param {string[]} shaders
 * @param {Set<string>} stems of records and launchers
 */
function strayShaders(shaders, stems) {
  return shaders
    .filter((name) => {
      if (stems.has(SHADER_OF_LAUNCHER.get(name) ?? '')) return false;
      const words = name.split('_');
      return !words.some((_, index) => stems.has(words.slice(0, index + 1).join('_')));
    })
    .map(
      (name) => `shaders/${name}.wgsl: its name begins with no op and no launcher of src/kernels`,
    );
}

/**
 * Pages and cases of ops that do not exist.
 *
 * @param {string} root
 * @param {Set<string>} stems
 */
function strayParts(root, stems) {
  return [
    { folder: 'docs/ops', extension: 'md' },
    { folder: 'test/cases', extension: 'ts' },
  ].flatMap(({ folder, extension }) =>
    stemsIn(root, folder, extension)
      .filter((stem) => !stems.has(stem))
      .map((stem) => `${folder}/${stem}.${extension}: no record src/autograd/ops/${stem}.ts`),
  );
}

/**
 * @param {string} root
 * @param {string} folder
 * @param {string} extension
 */
function stemsIn(root, folder, extension) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((name) => name.endsWith(`.${extension}`))
    .map((name) => name.slice(0, -extension.length - 1))
    .filter((stem) => !NOT_OPS.has(stem))
    .sort();
}

/**
 * @param {string} root
 * @param {string} folder
 */
function foldersIn(root, folder) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

runAsProgram(import.meta.url, checkInventory);
