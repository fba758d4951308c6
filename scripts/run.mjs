// Sets the checkout up, then runs the command line: `node scripts/run.mjs bench conv2d`.

import { join } from 'node:path';
import { orExit, ROOT, setUp } from './setup.mjs';
import { endLike, runNode } from './process.mjs';

const env = orExit(() => setUp());
endLike(await runNode([join(ROOT, 'dist', 'cli', 'main.js'), ...process.argv.slice(2)], env));
