// Writes every shader, minified, into one generated module, dist/gpu/platform/shaders.generated.js, from which a
// browser bundle takes them (in Node they are read from shaders/ itself). Keys are paths below shaders/.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { minifyWgsl } from './minify_wgsl.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'shaders');
const target = join(root, 'dist', 'gpu', 'platform', 'shaders.generated.js');

const entries = readdirSync(folder, { recursive: true })
  .map((path) => String(path).replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.wgsl'))
  .sort()
  .map((path) => [path, minifyWgsl(readFileSync(join(folder, path), 'utf8'))])
  .map((entry) => `  ${entry.map((text) => JSON.stringify(text)).join(': ')},\n`);
mkdirSync(dirname(target), { recursive: true });
writeFileSync(
  target,
  `// Made by scripts/embed_shaders.mjs.\nexport const shaders = {\n${entries.join('')}};\n`,
);
