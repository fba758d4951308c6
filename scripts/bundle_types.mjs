// The declarations that the package publishes: of each entry what a program can name, and nothing else. tsc leaves out what
// is marked @internal, and the bundler every declaration that no entry reaches.

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rollup } from 'rollup';
import dts from 'rollup-plugin-dts';
import { ROOT } from './setup_lib.mjs';

/** Public name → declarations that tsc made for its entry file. */
const ENTRIES = {
  index: 'index.d.ts',
  data: 'entries/data.d.ts',
  train: 'entries/train.d.ts',
  io: 'entries/io.d.ts',
  report: 'entries/report.d.ts',
};

/** Writes dist/types/<entry>.d.ts from the build in dist/. */
export async function bundleTypes() {
  const dist = join(ROOT, 'dist');
  const types = join(dist, 'types');
  rmSync(types, { recursive: true, force: true });
  const input = Object.fromEntries(
    Object.entries(ENTRIES)
      .map(([name, path]) => [name, join(dist, path)])
      .filter(([, path]) => existsSync(path)),
  );
  const bundle = await rollup({
    input,
    // Packages keep their own declarations.
    external: (id) => !id.startsWith('.') && !id.startsWith(dist),
    plugins: [dts()],
  });
  await bundle.write({
    dir: types,
    entryFileNames: '[name].d.ts',
    chunkFileNames: 'shared_[name].d.ts',
  });
  await bundle.close();
  mendNamespaces(types);
}

/**
 * In a namespace (`nn`, `models`) the bundler takes a type that another file declares for a value, and
 * writes `declare const A: typeof B`. Made a type again here.
 *
 * @param {string} types
 */
function mendNamespaces(types) {
  const paths = readdirSync(types).map((name) => join(types, name));
  const texts = paths.map((path) => readFileSync(path, 'utf8'));
  const declared = (/** @type {RegExp} */ kind) =>
    new Set(texts.flatMap((text) => [...text.matchAll(kind)].map((match) => match[1])));
  const typeNames = declared(/^(?:declare )?(?:interface|type) (\w+)/gm);
  const valueNames = declared(/^declare (?:abstract )?(?:class|const|function) (\w+)/gm);
  paths.forEach((path, i) => {
    const text = texts[i].replace(/^declare const (\S+): typeof (\w+);$/gm, (line, alias, name) =>
      typeNames.has(name) && !valueNames.has(name) ? `type ${alias} = ${name};` : line,
    );
    writeFileSync(path, text);
  });
}
