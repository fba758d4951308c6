// `npm run new -- op NAME`: an op that works (y = x, with its gradient) in all the files an op has, for its author to
// rewrite. `npm run check` lists what is still to write. The files are those of scripts/templates/op.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stubsOf } from './check_inventory.mjs';
import { setUp } from './setup.mjs';
import { filesBelow, ROOT, SetUpError } from './setup_lib.mjs';

const TEMPLATES = join(ROOT, 'scripts/templates/op');
/** Where y = x belongs in docs/derivatives.md. */
const GROUP = 'Functions of one number';

/** A command that was wrong. */
class UsageError extends SetUpError {}

/**
 * Writes the files of a new op below `root` and adds it to every list of ops. Nothing is written unless all of it can be.
 *
 * @param {string} root
 * @param {string} name in camelCase
 * @returns {Promise<{ made: string[], changed: string[] }>} paths below the root
 * @throws {SetUpError} where the name cannot be used, or one of the files is there already
 */
export async function newOp(root, name) {
  checkName(root, name);
  const stem = stemOf(name);
  const made = await formatted(root, filesOf(name));
  const taken = [...made.keys(), `src/kernels/${stem}`].filter((p) => existsSync(join(root, p)));
  if (taken.length > 0) {
    throw new UsageError(`new: there is already ${taken.join(', ')}`, 'choose another name');
  }
  const changed = await formatted(root, listsWith(root, name));
  for (const [path, text] of made) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { flag: 'wx' });
  }
  for (const [path, text] of changed) writeFileSync(join(root, path), text);
  return { made: [...made.keys()], changed: [...changed.keys()] };
}

/** @param {string} name */
const stemOf = (name) => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
/** @param {string} stem */
const camelOf = (stem) => stem.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

/**
 * @param {string} root
 * @param {string} name
 */
function checkName(root, name) {
  if (!/^[a-z][a-zA-Z0-9]*$/.test(name) || camelOf(stemOf(name)) !== name || isReserved(name)) {
    throw new UsageError(
      `new: expected the name of an op in camelCase, got '${name}'`,
      'for example npm run new -- op groupNorm',
    );
  }
  if (name in {} || namesIn(root).has(name)) {
    throw new UsageError(
      `new: there is an op, or a member of Tensor, named ${name} already`,
      'choose another name',
    );
  }
}

/** @param {string} name */
function isReserved(name) {
  try {
    new Function(`'use strict'; const ${name} = 0;`);
    return name === 'await';
  } catch {
    return true;
  }
}

/**
 * Every op by name, and every member of Tensor, which a method of the same name would replace.
 *
 * @param {string} root
 */
function namesIn(root) {
  const index = readFileSync(join(root, 'src/ops/index.ts'), 'utf8');
  const tensor = readFileSync(join(root, 'src/tensor.ts'), 'utf8');
  const members = tensor.slice(tensor.indexOf('export class Tensor'));
  const body = members.slice(0, members.indexOf('\n}\n'));
  return new Set([
    ...[...index.matchAll(/^ {2}(\w+),$/gm)].map((match) => match[1]),
    ...[...index.matchAll(/\b(?:const|function) (\w+)/g)].map((match) => match[1]),
    ...[...body.matchAll(/^ {2}(?:\w+ )*(\w+)[(<:]/gm)].map((match) => match[1]),
  ]);
}

/** @param {string} name */
function filesOf(name) {
  const words = { newOp: name, NewOp: name[0].toUpperCase() + name.slice(1), new_op: stemOf(name) };
  const inWords = (/** @type {string} */ text) =>
    text.replace(/newOp|NewOp|new_op/g, (word) => words[/** @type {keyof words} */ (word)]);
  return new Map(
    filesBelow(TEMPLATES).map((file) => {
      const path = relative(TEMPLATES, file)
        .replaceAll('\\', '/')
        .replace(/\.txt$/, '');
      return [inWords(path), inWords(readFileSync(file, 'utf8'))];
    }),
  );
}

/**
 * The lists of ops, with the new one in its place.
 *
 * @param {string} root
 * @param {string} name
 */
function listsWith(root, name) {
  const stem = stemOf(name);
  /** @type {Map<string, string>} */
  const texts = new Map();
  const edit = (/** @type {string} */ path, /** @type {(text: string) => string} */ change) => {
    const before = texts.get(path) ?? readFileSync(join(root, path), 'utf8');
    const after = change(before);
    if (after === before) throw new SetUpError(`new: no place for ${name} in ${path}`);
    texts.set(path, after);
  };
  const addTo = (
    /** @type {string} */ path,
    /** @type {string} */ imported,
    /** @type {string} */ list,
    /** @type {string} */ row,
  ) => {
    edit(path, (text) => withImport(text, imported, stem));
    edit(path, (text) => withRow(text, list, row));
  };
  addTo('src/autograd/ops/index.ts', name, 'export const records = {', name);
  addTo('src/ops/index.ts', name, 'const tensorOps = {', name);
  const reference = `${name}Reference`;
  const row = `${stem}: ${reference} as AnyReference`;
  addTo('src/reference/index.ts', reference, 'export const references = {', row);
  edit('scripts/docs.mjs', (text) => text.replace(`title: '${GROUP}', stems: [`, `$&'${stem}', `));
  return texts;
}

/**
 * @param {string} text of a module whose imports are sorted by path
 * @param {string} name
 * @param {string} stem of the file beside it
 */
function withImport(text, name, stem) {
  const path = `./${stem}.js`;
  const imports = [...text.matchAll(/^import [^;]*? from '(\.\/[^']+)';\n/gm)];
  const line = `import { ${name} } from '${path}';\n`;
  const next = imports.find((match) => match[1] > path);
  const last = imports.at(-1);
  const at = next ? next.index : last ? last.index + last[0].length : 0;
  return text.slice(0, at) + line + text.slice(at);
}

/**
 * @param {string} text
 * @param {string} opening the line that opens a list sorted by key
 * @param {string} row
 */
function withRow(text, opening, row) {
  const start = text.indexOf(`${opening}\n`);
  if (start === -1) return text;
  const keyOf = (/** @type {string} */ line) => /\w+/.exec(line)?.[0].toLowerCase() ?? '';
  let at = start + opening.length + 1;
  for (;;) {
    const end = text.indexOf('\n', at) + 1;
    const line = text.slice(at, end);
    if (end === 0 || line.startsWith('}') || keyOf(line) > keyOf(row)) break;
    at = end;
  }
  return `${text.slice(0, at)}  ${row},\n${text.slice(at)}`;
}

/**
 * @param {string} root
 * @param {Map<string, string>} texts
 */
async function formatted(root, texts) {
  const { format, resolveConfig } = await import('prettier');
  const style = await resolveConfig(join(root, 'package.json'));
  /** @type {Map<string, string>} */
  const result = new Map();
  for (const [path, text] of texts) {
    const isKnown = !path.endsWith('.wgsl');
    result.set(path, isKnown ? await format(text, { ...style, filepath: path }) : text);
  }
  return result;
}

/** @param {string[]} argv */
async function main([kind, name, ...rest]) {
  if (kind !== 'op' || name === undefined || rest.length > 0) {
    throw new UsageError(
      `new: expected 'op NAME', got '${[kind, name, ...rest].filter(Boolean).join(' ')}'`,
      'for example npm run new -- op groupNorm',
    );
  }
  setUp({ build: false, adapter: false });
  const { made, changed } = await newOp(ROOT, name);
  // The page of derivatives is made of the records in dist/.
  setUp({ build: true, adapter: false });
  const docs = spawnSync(process.execPath, [join(ROOT, 'scripts/docs.mjs')], { stdio: 'inherit' });
  if (docs.status !== 0)
    throw new SetUpError('new: the pages of docs/ were not written', 'npm run docs');
  const stem = stemOf(name);
  console.log(
    [
      ...made.map((path) => `made     ${path}`),
      ...[...changed, 'docs/derivatives.md'].map((path) => `changed  ${path}`),
      '',
      `ops.${name} works as it stands, as y = x. Left to write, in the order of docs/contributing.md:`,
      ...stubsOf(ROOT, stem).map((line) => `  ${line}`),
      '',
      'Its tests:',
      `  npx vitest run test/ops/${stem}.test.ts`,
      `  npx vitest run test/reference.test.ts -t '${stem}:'`,
    ].join('\n'),
  );
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(process.argv.slice(2)).catch((error) => {
    if (!(error instanceof SetUpError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(error instanceof UsageError ? 2 : 1);
  });
}
