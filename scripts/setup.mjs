// Everything a fresh clone needs before it runs: packages, the build in dist/, and a WebGPU adapter.
//
// Only Node's own modules are used, since this runs before any package is there. It is silent and takes well
// under a second when nothing is to be done. `node scripts/setup.mjs` does all of it; other scripts import setUp().

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureAdapter } from './setup_adapter.mjs';
import { filesBelow, orExit, ROOT, say, SetUpError } from './setup_lib.mjs';

const LEAST_NODE = 20;
const BUILD_INPUTS = [
  'src',
  'shaders',
  'tsconfig.json',
  'tsconfig.build.json',
  'package-lock.json',
];

/**
 * Brings the checkout into a state in which dist/cli/main.js and the tests run.
 *
 * @param {{ build?: boolean, adapter?: boolean }} [parts] parts to leave out with `false`
 * @returns {NodeJS.ProcessEnv} environment for the programs to start
 */
export function setUp({ build = true, adapter = true } = {}) {
  requireNode(process.versions.node);
  if (packagesAreStale(ROOT)) installPackages();
  if (build && existsSync(join(ROOT, 'src'))) buildIfStale();
  return { ...process.env, ...(adapter ? ensureAdapter() : {}) };
}

/** @param {string} version */
export function requireNode(version) {
  if (Number(version.split('.')[0]) < LEAST_NODE) {
    throw new SetUpError(
      `set-up: needs Node ${LEAST_NODE} or newer, found ${version}`,
      'install a current Node from https://nodejs.org',
    );
  }
}

/**
 * Whether node_modules differs from package-lock.json. npm keeps a lock file of what it installed; packages for
 * other platforms are listed in the one and rightly absent from the other.
 *
 * @param {string} root
 */
export function packagesAreStale(root) {
  const lockPath = join(root, 'package-lock.json');
  if (!existsSync(lockPath)) return false; // installed as a package: npm has seen to it
  const installedPath = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedPath)) return true;
  const wanted = JSON.parse(readFileSync(lockPath, 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedPath, 'utf8')).packages;
  return Object.keys(wanted).some((path) => {
    if (path === '') return false;
    if (!installed[path]) return !wanted[path].optional;
    return installed[path].version !== wanted[path].version;
  });
}

function installPackages() {
  say('installing packages (npm ci)');
  const flags = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  // Under `npm test` npm tells where it is; started by hand it is found on the path.
  const npm = process.env.npm_execpath;
  const viaNode = npm !== undefined && /npm-cli\.c?js$/.test(npm);
  const result = viaNode
    ? spawnSync(process.execPath, [npm, ...flags], { cwd: ROOT, stdio: 'inherit' })
    : spawnSync('npm', flags, { cwd: ROOT, stdio: 'inherit', shell: process.platform === 'win32' });
  if (result.status !== 0) {
    throw new SetUpError(
      'set-up: npm ci did not finish',
      'see npm’s message above; it needs the network once',
    );
  }
}

const STAMP = join(ROOT, 'dist', '.stamp');

/** Whether dist/ was built from other sources than there are now. */
export function buildIsStale() {
  return !existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== fingerprint(BUILD_INPUTS);
}

function buildIfStale() {
  if (!buildIsStale()) return;
  const state = fingerprint(BUILD_INPUTS);
  say('building dist');
  const steps = [
    [
      join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'),
      '-p',
      join(ROOT, 'tsconfig.build.json'),
    ],
    [join(ROOT, 'scripts', 'embed_shaders.mjs')],
  ];
  for (const step of steps) {
    const result = spawnSync(process.execPath, step, { cwd: ROOT, stdio: 'inherit' });
    if (result.status !== 0)
      throw new SetUpError('set-up: the build failed, see the messages above');
  }
  removeOrphans();
  writeFileSync(STAMP, state);
}

/** Deletes from dist what was built from a source file that is no longer there. */
function removeOrphans() {
  for (const path of filesBelow(join(ROOT, 'dist'))) {
    const stem = relative(join(ROOT, 'dist'), path).match(/^(.*?)\.(js|d\.ts)$/)?.[1];
    if (stem === undefined) continue;
    const sources = ['.ts', '.d.ts'].map((ending) => join(ROOT, 'src', stem + ending));
    if (stem.startsWith('reference') || !sources.some((source) => existsSync(source))) rmSync(path);
  }
}

/** @param {string[]} entries files and folders below the root */
function fingerprint(entries) {
  const hash = createHash('sha256');
  for (const entry of entries) {
    const path = join(ROOT, entry);
    if (!existsSync(path)) continue;
    for (const file of statSync(path).isDirectory() ? filesBelow(path) : [path]) {
      const { size, mtimeMs } = statSync(file);
      hash.update(`${relative(ROOT, file)} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest('hex');
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  orExit(() => setUp());
