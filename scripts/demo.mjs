// `npm run demo`: from a fresh clone to a trained digit classifier, without a download. Further arguments go to `train`.

import { join } from 'node:path';
import { setUp } from './setup.mjs';
import { orExit, ROOT } from './setup_lib.mjs';
import { endLike, runNode } from './process.mjs';

// Chosen to end within three minutes on two CPU cores and a software adapter; a GPU needs seconds.
const TRAIN = ['train', 'mnist', '--data', 'builtin:digits', '--epochs', '3', '--seed', '1'];

const env = orExit(() => setUp());
endLike(
  await runNode([join(ROOT, 'dist', 'cli', 'main.js'), ...TRAIN, ...process.argv.slice(2)], env),
);
