// What src exports, somebody else imports: another file of src, a test, a bench, a script, or whoever uses the package.
// An export for nobody is private, or dead. A type may be exported beside the declaration that it belongs to.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { runAsProgram } from './check_lib.mjs';
import { filesBelow } from './setup_lib.mjs';

const FOLDERS = ['src', 'test', 'bench', 'scripts', 'examples'];

/** Names that are used without an import of them, and where. */
const WITHOUT_IMPORT = new Map([
  // Tests import the records of an op by the name of its file.
  ['recordOf', 'src/autograd/ops/'],
  // Holds both platforms to their interface when they are compiled.
  ['Platforms', 'src/gpu/platform/'],
]);

/** Imports of every name there is. */
const ALL = '*';

/**
 * @typedef {object} Module what of a file others can see
 * @property {Map<string, number>} exported lines by name
 * @property {string[]} stars files whose exports it passes on
 * @property {{ file: string, name: string }[]} imported
 * @property {Set<string>} told types that what it exports is declared with
 */

/**
 * @param {string} root folder of the project
 * @returns {string[]} one line for each export that nobody imports
 */
export function checkExports(root) {
  const modules = new Map(
    FOLDERS.filter((folder) => existsSync(join(root, folder)))
      .flatMap((folder) => filesBelow(join(root, folder)))
      .filter((path) => /(?<!\.d)\.m?[jt]s$/.test(path))
      .map((path) => [relative(root, path).replaceAll('\\', '/'), readModule(root, path)]),
  );
  /** @type {Map<string, Set<string>>} */
  const used = new Map();
  const use = (/** @type {string} */ file, /** @type {string} */ name) => {
    const names = used.get(file) ?? new Set();
    used.set(file, names);
    if (names.has(name)) return;
    names.add(name);
    for (const star of modules.get(file)?.stars ?? []) use(star, name);
  };
  for (const entry of entries(root)) use(entry, ALL);
  for (const { imported } of modules.values()) {
    for (const { file, name } of imported) use(file, name);
  }
  return [...modules].flatMap(([file, { exported, told }]) => {
    if (!file.startsWith('src/') || used.get(file)?.has(ALL)) return [];
    return [...exported]
      .filter(([name]) => !used.get(file)?.has(name) && !told.has(name))
      .filter(([name]) => !file.startsWith(WITHOUT_IMPORT.get(name) ?? '\0'))
      .map(([name, line]) => `${file}:${line}: exports ${name}, which no other file imports`);
  });
}

/**
 * The modules that package.json names.
 *
 * @param {string} root
 * @returns {string[]}
 */
function entries(root) {
  const path = join(root, 'package.json');
  if (!existsSync(path)) return [];
  const { exports = {}, imports = {}, bin = {} } = JSON.parse(readFileSync(path, 'utf8'));
  const text = JSON.stringify([exports, imports, bin]);
  return [...text.matchAll(/"(?:\.\/)?dist\/([^"]+?)\.js"/g)].map((match) => `src/${match[1]}.ts`);
}

/**
 * @param {string} root
 * @param {string} path
 * @returns {Module}
 */
function readModule(root, path) {
  const source = ts.createSourceFile(
    path,
    readFileSync(path, 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  /** @type {Module} */
  const module = { exported: new Map(), stars: [], imported: [], told: new Set() };
  const lineOf = (/** @type {ts.Node} */ node) =>
    source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
  const fileOf = (/** @type {ts.Node | undefined} */ specifier) =>
    specifier && ts.isStringLiteralLike(specifier) ? goalOf(root, path, specifier.text) : null;
  const take = (/** @type {string | null} */ file, /** @type {readonly string[]} */ names) => {
    if (file !== null) module.imported.push(...names.map((name) => ({ file, name })));
  };
  /** @type {Map<string, string[]>} */
  const typesOf = new Map();
  const tell = (/** @type {string} */ name) => {
    if (module.told.has(name)) return;
    module.told.add(name);
    for (const other of typesOf.get(name) ?? []) tell(other);
  };
  for (const statement of source.statements) {
    for (const { text } of declaredNames(statement)) typesOf.set(text, typesIn(statement));
  }
  /** @param {ts.Node} node */
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) {
      const bindings = node.importClause?.namedBindings;
      take(fileOf(node.moduleSpecifier), bindings ? namesIn(bindings) : []);
    } else if (ts.isExportDeclaration(node)) {
      const file = fileOf(node.moduleSpecifier);
      const clause = node.exportClause;
      if (!clause) module.stars.push(...(file === null ? [] : [file]));
      else take(file, namesIn(clause));
      if (clause && ts.isNamedExports(clause)) {
        for (const { name } of clause.elements) module.exported.set(name.text, lineOf(name));
      }
    } else if (ts.isImportTypeNode(node)) {
      const { argument, qualifier } = node;
      const file = ts.isLiteralTypeNode(argument) ? fileOf(argument.literal) : null;
      take(file, [qualifier?.getText().split('.')[0] ?? ALL]);
    } else if (ts.isCallExpression(node) && node.arguments.length > 0) {
      const [specifier] = node.arguments;
      const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword;
      const isBuilt = ts.isStringLiteralLike(specifier) && /^dist\/.*\.js$/.test(specifier.text);
      if (isImport || isBuilt) take(fileOf(specifier), namesTaken(node));
    } else if (isExported(node)) {
      const own = declaredNames(node);
      for (const name of own) module.exported.set(name.text, lineOf(name));
      const others = typesIn(node).filter((name) => !own.some(({ text }) => text === name));
      for (const name of others) tell(name);
    } else if (ts.isModuleDeclaration(node)) {
      for (const name of typesIn(node)) tell(name);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return module;
}

/**
 * The source file of a module, below the root; null for a package.
 *
 * @param {string} root
 * @param {string} path of the importing file
 * @param {string} target
 */
function goalOf(root, path, target) {
  if (target.startsWith('#')) return null;
  const isBuilt = target.startsWith('dist/');
  if (!isBuilt && !target.startsWith('.')) return null;
  const goal = relative(root, isBuilt ? join(root, target) : resolve(dirname(path), target));
  const file = goal.replaceAll('\\', '/').replace(/^dist\//, 'src/');
  return file.startsWith('src/') ? file.replace(/\.js$/, '.ts') : file;
}

/** @param {ts.NamedImportBindings | ts.NamedExportBindings} bindings */
function namesIn(bindings) {
  if (!('elements' in bindings)) return [ALL];
  return bindings.elements.map(({ name, propertyName }) => (propertyName ?? name).text);
}

/**
 * What is taken from `await import(…)`: the names of `const { a, b } = …` or `(…).a`, else all.
 *
 * @param {ts.Node} call
 * @returns {string[]}
 */
function namesTaken(call) {
  let node = call.parent;
  while (
    ts.isAwaitExpression(node) ||
    ts.isParenthesizedExpression(node) ||
    ts.isAsExpression(node)
  ) {
    node = node.parent;
  }
  if (ts.isPropertyAccessExpression(node)) return [node.name.text];
  if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name)) {
    return node.name.elements.map(({ name, propertyName }) => (propertyName ?? name).getText());
  }
  return [ALL];
}

/** @param {ts.Node} node */
function isExported(node) {
  if (!ts.isSourceFile(node.parent ?? node) || !ts.canHaveModifiers(node)) return false;
  return ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
}

/**
 * Types that a declaration names, outside the bodies of functions.
 *
 * @param {ts.Node} node
 * @returns {string[]}
 */
function typesIn(node) {
  if (ts.isBlock(node)) return [];
  /** @type {string[]} */
  const names = [];
  if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node)) {
    names.push(node.getChildAt(0).getText());
  }
  ts.forEachChild(node, (child) => void names.push(...typesIn(child)));
  return names;
}

/**
 * @param {ts.Node} node an exported statement
 * @returns {ts.Identifier[]}
 */
function declaredNames(node) {
  if (ts.isVariableStatement(node)) {
    return node.declarationList.declarations.flatMap(({ name }) => identifiersIn(name));
  }
  const { name } = /** @type {{ name?: ts.Node }} */ (node);
  return name && ts.isIdentifier(name) ? [name] : [];
}

/**
 * @param {ts.BindingName} name
 * @returns {ts.Identifier[]}
 */
function identifiersIn(name) {
  if (ts.isIdentifier(name)) return [name];
  return name.elements.flatMap((element) =>
    ts.isBindingElement(element) ? identifiersIn(element.name) : [],
  );
}

runAsProgram(import.meta.url, checkExports);
