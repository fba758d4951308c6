// Writes the text of every shader into one generated module, src/gpu/platform/shaders.generated.ts, from which the
// browser build reads them (in Node they are read from shaders/ itself). Keys are paths below shaders/.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'shaders');
const target = join(root, 'src', 'gpu', 'platform', 'shaders.generated.ts');

const entries = readdirSync(folder, { recursive: true })
  .map((path) => String(path).replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.wgsl'))
  .sort()
  .map(
    (path) =>
      `  ${JSON.stringify(path)}: ${JSON.stringify(readFileSync(join(folder, path), 'utf8'))},\n`,
  );
const text = `// Made by scripts/embed_shaders.mjs.\nexport const shaders: Record<string, string> = {\n${entries.join('')}};\n`;

// Left alone when it is already right, so that nothing is rebuilt for it.
if (!existsSync(target) || readFileSync(target, 'utf8') !== text) writeFileSync(target, text);
