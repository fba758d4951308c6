// Sets the checkout up, then runs the command line: `node scripts/run.mjs bench conv2d`.

import { join } from 'node:path';
import { setUp } from './setup.mjs';
import { orExit, ROOT } from './setup_lib.mjs';
import { endLike, runNode } from './process.mjs';

const env = orExit(() => setUp());
endLike(await runNode([join(ROOT, 'dist', 'cli', 'main.js'), ...process.argv.slice(2)], env));
