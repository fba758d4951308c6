// `npm run check`: types, lint, format, import directions, exports, shaders and the inventory of ops. One line per part; what is
// wrong follows at the end, and the exit code is 1.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setUp } from './setup.mjs';
import { orExit, ROOT } from './setup_lib.mjs';

/** Two at a time: the machines this has to be quick on have two cores. The longest come first. */
const LANES = 2;
const bin = (/** @type {string[]} */ ...path) => join(ROOT, 'node_modules', ...path);
const script = (/** @type {string} */ name) => [join(ROOT, 'scripts', name)];

const PARTS = [
  { name: 'lint', argv: [bin('eslint', 'bin', 'eslint.js'), '--max-warnings', '0', '.'] },
  { name: 'types', argv: [bin('typescript', 'bin', 'tsc'), '--noEmit'] },
  {
    name: 'format',
    argv: [
      bin('prettier', 'bin', 'prettier.cjs'),
      '--check',
      '--cache',
      '--cache-strategy=content',
      '--cache-location=node_modules/.cache/tilegrad/prettier',
      '--log-level=warn',
      '**/*.{ts,mjs,js,json,md}',
    ],
  },
  { name: 'shaders', argv: script('check_shaders.mjs') },
  { name: 'imports', argv: script('check_imports.mjs') },
  { name: 'exports', argv: script('check_exports.mjs') },
  { name: 'inventory', argv: script('check_inventory.mjs') },
];

/**
 * @param {string[]} argv
 * @returns {Promise<{ ok: boolean, output: string, seconds: number }>}
 */
function runPart(argv) {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (signal) output += `ended by ${signal}\n`;
      resolve({ ok: code === 0, output, seconds: (performance.now() - start) / 1000 });
    });
  });
}

orExit(() => setUp({ build: false, adapter: false }));

/** @type {string[]} */
const failures = [];
const queue = [...PARTS];
async function lane() {
  for (let part = queue.shift(); part; part = queue.shift()) {
    const { ok, output, seconds } = await runPart(part.argv);
    console.log(
      `${part.name.padEnd(10)} ${ok ? 'ok    ' : 'FAILED'} ${seconds.toFixed(1).padStart(5)} s`,
    );
    if (!ok) failures.push(`\n${part.name}\n${output.trim()}`);
    else if (part.name === 'shaders') console.log(output.trim().replace(/^/gm, '  '));
  }
}
await Promise.all(Array.from({ length: LANES }, lane));

for (const failure of failures) console.log(failure);
process.exitCode = failures.length > 0 ? 1 : 0;
