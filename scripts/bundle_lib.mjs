// The library as one ES module for browsers, made by esbuild from the build in dist/.

import { build } from 'esbuild';
import { join } from 'node:path';
import { ROOT } from './setup_lib.mjs';

/**
 * Bundles the package's entry as a page would: with the `browser` condition, which puts the
 * embedded shaders and `navigator.gpu` behind `#platform`.
 *
 * @param {{ minify?: boolean }} [options]
 * @returns {Promise<{ text: string, inputs: string[] }>} the module, and the files it is made of, below the root
 */
export async function bundleForBrowser({ minify = false } = {}) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [join(ROOT, 'dist', 'index.js')],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['browser'],
    target: 'es2022',
    // The `paths` of our tsconfig.json would win over the package's own import conditions.
    tsconfigRaw: {},
    minify,
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  return { text: outputFiles[0].text, inputs: Object.keys(metafile.inputs).sort() };
}
