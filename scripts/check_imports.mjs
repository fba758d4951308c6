// Imports point one way (docs: the house in the README): cli → bench → train → data, models, io, plot → nn, optim → ops, tensor →
// autograd, tune → kernels → gpu → errors. The engine's core loads in a browser, so it imports no package and nothing of Node.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { runAsProgram } from './check_lib.mjs';

/** Height of each folder or file of src; an import may go down or stay level. */
const LAYERS = new Map(
  Object.entries({
    'errors.ts': 0,
    'visible.ts': 0,
    gpu: 1,
    kernels: 2,
    tune: 3,
    autograd: 3,
    ops: 4,
    'tensor.ts': 4,
    'capture.ts': 4,
    'device.ts': 4,
    nn: 5,
    optim: 5,
    data: 6,
    models: 6,
    io: 6,
    plot: 6,
    // The package's entry names the engine's parts for a reader, and so stays loadable in a browser.
    'index.ts': 6,
    train: 7,
    entries: 8,
    bench: 8,
    cli: 9,
  }),
);

const CORE = new Set(
  'errors.ts visible.ts gpu kernels tune autograd ops tensor.ts capture.ts device.ts nn optim models index.ts'.split(
    ' ',
  ),
);
const NODE_PLATFORM = 'src/gpu/platform/node.ts';
const NODE_GLOBAL = /(?<![.\w$])(process|Buffer|__dirname|__filename)\s*[.[(]/;

/** Peers to measure against, allowed in bench/peers alone. */
const FRAMEWORKS =
  /^(@tensorflow\/|@jax-js\/|@huggingface\/|@xenova\/|onnxruntime|@webnn|torch|js-pytorch|brain\.js|ml5|keras-js|synaptic|convnetjs|mxnet|@tensorscript)/;

// A statement begins its line (the formatter sees to that), so the same words inside a string do not count.
const IMPORT =
  /^\s*(?:import|export)\s+(type\s)?([\w$*\s{},]*?)\s*\bfrom\s*(['"])([^'"\n]+)\3|(?:^\s*import\s*|\bimport\s*\(\s*)(['"])([^'"\n]+)\5/gm;

/**
 * @typedef {object} Import
 * @property {string} target as written
 * @property {boolean} isTypeOnly erased when compiled
 * @property {boolean} isDeferred imported at run time
 * @property {number} line
 */

/**
 * @param {string} root folder of the project
 * @returns {string[]} one line per forbidden import
 */
export function checkImports(root) {
  const paths = ['src', 'test', 'bench', 'scripts']
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true }).map((name) => `${folder}/${name}`),
    )
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /\.m?[jt]s$/.test(path))
    .sort();
  return [...paths.flatMap((path) => checkFile(root, path)), ...circles(root, paths)];
}

/**
 * Circles among the files of src: what a file imports when it is evaluated must not lead back to it.
 * Types are erased, and what is imported at run time comes later.
 *
 * @param {string} root
 * @param {string[]} paths
 * @returns {string[]} one line for each group of files that need each other
 */
function circles(root, paths) {
  const graph = new Map(
    paths
      .filter((path) => path.startsWith('src/'))
      .map((path) => [
        path,
        findImports(blankComments(readFileSync(join(root, path), 'utf8')))
          .filter(({ target, isTypeOnly, isDeferred }) => {
            return target.startsWith('.') && !isTypeOnly && !isDeferred;
          })
          .map(({ target }) => goalOf(root, path, target).replace(/\.js$/, '.ts')),
      ]),
  );
  return groupsOf(graph)
    .filter((group) => group.length > 1 || graph.get(group[0])?.includes(group[0]))
    .map(
      (group) =>
        `${group[0]}: in a circle of imports with ${group.slice(1).join(', ') || 'itself'}`,
    );
}

/**
 * Strongly connected components (Tarjan, SIAM J. Comput. 1(2), 1972), each sorted.
 *
 * @param {Map<string, string[]>} graph
 * @returns {string[][]}
 */
function groupsOf(graph) {
  /** @type {Map<string, { index: number, low: number, isOpen: boolean }>} */
  const states = new Map();
  /** @type {string[]} */
  const open = [];
  /** @type {string[][]} */
  const groups = [];
  /** @param {string} name */
  const visit = (name) => {
    const state = { index: states.size, low: states.size, isOpen: true };
    states.set(name, state);
    open.push(name);
    for (const next of graph.get(name) ?? []) {
      if (!graph.has(next)) continue;
      const seen = states.get(next) ?? visit(next);
      if (seen.isOpen) state.low = Math.min(state.low, seen.low);
    }
    if (state.low === state.index) {
      const group = open.splice(open.indexOf(name));
      for (const member of group) states.set(member, { ...state, isOpen: false });
      groups.push(group.sort());
    }
    return state;
  };
  for (const name of graph.keys()) if (!states.has(name)) visit(name);
  return groups;
}

/**
 * @param {string} root
 * @param {string} path of the importing file, below the root
 */
function checkFile(root, path) {
  const text = blankComments(readFileSync(join(root, path), 'utf8'));
  const failures = findImports(text).flatMap((entry) => {
    const problem = judge(root, path, entry);
    return problem ? [`${path}:${entry.line}: ${problem}`] : [];
  });
  if (isCore(path)) {
    text.split('\n').forEach((line, index) => {
      const name = NODE_GLOBAL.exec(line.replace(/(['"`])(?:\\.|(?!\1).)*\1/g, "''"))?.[1];
      if (!name || isOwnName(text, name)) return;
      failures.push(`${path}:${index + 1}: uses Node's ${name}; the core also runs in a browser`);
    });
  }
  return failures;
}

/**
 * @param {string} root
 * @param {string} path
 * @param {Import} entry
 * @returns {string | null} what is wrong with it
 */
function judge(root, path, { target, isTypeOnly }) {
  if (FRAMEWORKS.test(target) && !path.startsWith('bench/peers/')) {
    return `imports ${target}; another framework belongs in bench/peers only`;
  }
  const isRelative = target.startsWith('.');
  const goal = isRelative ? goalOf(root, path, target) : '';
  if (isLeaf(path)) {
    if (!isRelative) return `imports ${target}; reference and test/cases import no packages`;
    const isBelowSrc = goal.startsWith('src/') && !goal.startsWith('src/reference/');
    return isBelowSrc && !isTypeOnly ? `imports ${goal}; of src a leaf imports only types` : null;
  }
  if (!path.startsWith('src/')) return null;
  if (!isRelative) return isCore(path) ? judgeForeign(target) : null;
  if (!goal.startsWith('src/')) {
    return goal === 'package.json' ? null : `imports ${goal}, which is not part of src`;
  }
  return judgeDirection(path, goal);
}

/**
 * @param {string} root
 * @param {string} path of the importing file
 * @param {string} target
 */
function goalOf(root, path, target) {
  return relative(root, resolve(root, dirname(path), target)).replaceAll('\\', '/');
}

/** @param {string} target a package or Node module that the core wants */
function judgeForeign(target) {
  if (target === '#platform') return null;
  const isBuiltin = target.startsWith('node:') || builtinModules.includes(target);
  return `imports ${target}; the core imports ${isBuiltin ? 'nothing of Node' : 'no packages'}`;
}

/**
 * @param {string} path
 * @param {string} goal
 */
function judgeDirection(path, goal) {
  const from = layerOf(path);
  const to = layerOf(goal);
  if (from === 'reference') return null;
  if (to === 'reference') return `imports ${goal}; the reference is the tests' oracle, not a part`;
  const fromHeight = LAYERS.get(from);
  const toHeight = LAYERS.get(to);
  if (fromHeight === undefined) return `src/${from} has no place among the layers of check_imports`;
  if (toHeight === undefined) return `imports ${goal}, which has no place among the layers`;
  if (toHeight > fromHeight) return `imports ${goal}; ${from} lies below ${to}`;
  if (CORE.has(from) && !CORE.has(to)) return `imports ${goal}; the core does not depend on ${to}`;
  return null;
}

/**
 * Whether the file declares or imports the name itself, as nn does with its Buffer.
 *
 * @param {string} text
 * @param {string} name
 */
function isOwnName(text, name) {
  return new RegExp(
    `\\b(?:class|const|let|function)\\s+${name}\\b|^import[^;]*\\b${name}\\b`,
    'm',
  ).test(text);
}

/** @param {string} path below the root */
function layerOf(path) {
  return path.split('/')[1].replace(/\.js$/, '.ts');
}

/** @param {string} path */
function isCore(path) {
  return path.startsWith('src/') && CORE.has(layerOf(path)) && path !== NODE_PLATFORM;
}

/** @param {string} path */
function isLeaf(path) {
  return path.startsWith('src/reference/') || path.startsWith('test/cases/');
}

/**
 * @param {string} text without comments
 * @returns {Import[]}
 */
function findImports(text) {
  return [...text.matchAll(IMPORT)].map((match) => {
    const names = /^\s*\{(.*)\}\s*$/s.exec(match[2] ?? '')?.[1];
    const allTypes = names
      ?.split(',')
      .filter((name) => name.trim() !== '')
      .every((name) => /^\s*type\s/.test(name));
    return {
      target: match[4] ?? match[6],
      isTypeOnly: match[1] !== undefined || (allTypes ?? false),
      isDeferred: /\bimport\s*\(/.test(match[0]),
      line: text.slice(0, match.index + match[0].search(/\S/)).split('\n').length,
    };
  });
}

/**
 * Replaces comments by spaces, so that lines and columns stay; strings are left as they are.
 *
 * @param {string} text
 */
function blankComments(text) {
  const token = /(['"])(?:\\.|(?!\1)[^\\\n])*\1|`(?:\\.|[^\\`])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replace(token, (match) =>
    match.startsWith('/') ? match.replace(/[^\n]/g, ' ') : match,
  );
}

runAsProgram(import.meta.url, checkImports);
