// `npm run test:all`: the tests that take long or need more than the checkout, in parts. `npm run test:all -- NAME …`
// runs some of them. A part whose programs cannot be had is skipped with the reason, or fails where TILEGRAD_REQUIRE_ALL
// is set, as on a build server. The last line is `N passed, N failed`, with `, N skipped`, over all parts.

import { endLike } from './process.mjs';
import { runVitest } from './run_vitest.mjs';
import { setUp } from './setup.mjs';
import { orExit, SetUpError } from './setup_lib.mjs';
import * as tools from './test_all_tools.mjs';
import { summarise } from './test_summary.mjs';

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {string} what
 * @property {() => Record<string, string>} prepare installs what it needs; variables for its tests
 * @property {string[]} args of vitest
 * @property {number} minutes that it may take on two cores
 */

const drivers = (/** @type {string[]} */ ...manifests) => {
  const list = manifests.join(':');
  return { VK_DRIVER_FILES: list, VK_ICD_FILENAMES: list };
};

/** @type {Part[]} */
const PARTS = [
  {
    name: 'adapters',
    what: 'the choice among several adapters',
    prepare: () => drivers(tools.swiftShader(), tools.lavapipe()),
    args: ['test/all/adapters.test.ts'],
    minutes: 2,
  },
  {
    name: 'swiftshader',
    what: 'the op tests on SwiftShader',
    prepare: () => ({ ...drivers(tools.swiftShader()), TILEGRAD_ADAPTER: 'SwiftShader' }),
    args: ['test/ops', '--testTimeout=300000'],
    minutes: 25,
  },
  {
    name: 'runtimes',
    what: 'training in Bun and Deno, and naga',
    prepare: () => ({ TILEGRAD_BUN: tools.runtime('bun'), TILEGRAD_DENO: tools.runtime('deno') }),
    args: ['test/all/runtimes.test.ts'],
    minutes: 3,
  },
  {
    name: 'browser',
    what: 'the library in Chromium',
    prepare: () => ({ CHROMIUM: tools.chromium() }),
    args: ['test/all/browser.test.ts'],
    minutes: 5,
  },
  {
    name: 'readers',
    what: 'weight files read by h5py and PyTorch',
    prepare: () => ({ TILEGRAD_PYTHON: tools.readers(), TILEGRAD_REQUIRE_READERS: '1' }),
    args: ['test/io/weights/readers.test.ts'],
    minutes: 5,
  },
  {
    name: 'pypi',
    what: 'files read by TensorBoard and safetensors of PyPI',
    prepare: () => ({ TILEGRAD_PYPI_PYTHON: tools.pypi() }),
    args: ['test/all/tensorboard.test.ts', 'test/all/safetensors.test.ts'],
    minutes: 3,
  },
  {
    name: 'fuzz',
    what: '20,000 damaged files',
    prepare: () => ({}),
    args: ['test/all/fuzz.test.ts'],
    minutes: 10,
  },
];

const chosen = process.argv.slice(2);
const unknown = chosen.find((name) => !PARTS.some((part) => part.name === name));
if (unknown !== undefined) {
  const names = PARTS.map(({ name }) => name).join(', ');
  process.stderr.write(`test:all: no part is called "${unknown}"\nfix: name some of ${names}\n`);
  process.exit(2);
}

const env = { ...orExit(() => setUp()), TILEGRAD_TEST_ALL: '1' };
const isRequired = Boolean(process.env.TILEGRAD_REQUIRE_ALL);
const results = [];
for (const part of PARTS) {
  if (chosen.length > 0 && !chosen.includes(part.name)) continue;
  console.log(`\n# ${part.name}: ${part.what}`);
  const start = performance.now();
  const prepared = preparedOrReason(part);
  if (typeof prepared === 'string') {
    console.log(`${isRequired ? 'failed' : 'skipped'}: ${part.name}: ${prepared}`);
    results.push({ passed: 0, failed: Number(isRequired), skipped: Number(!isRequired) });
    continue;
  }
  const limit = part.minutes * 60_000;
  const { counts, ending } = await runVitest(part.args, { ...env, ...prepared }, limit);
  const isLate = ending.signal === 'SIGTERM' && performance.now() - start >= limit;
  if (ending.signal && !isLate) {
    endLike(ending);
    break;
  }
  if (isLate) console.log(`failed: ${part.name}: not done within ${part.minutes} minutes`);
  results.push(counts);
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`# ${part.name}: ${summarise(counts).line}, ${seconds} s`);
}
const { line, ok } = summarise(...results);
console.log(line);
process.exitCode = ok ? 0 : 1;

/** @param {Part} part */
function preparedOrReason(part) {
  try {
    return part.prepare();
  } catch (error) {
    if (error instanceof SetUpError) return error.message.replaceAll('\n', ' ');
    throw error;
  }
}
