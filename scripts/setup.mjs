// Everything a fresh clone needs before it runs: packages, the build in dist/, and a WebGPU adapter.
//
// Only Node's own modules are used, since this runs before any package is there. It is silent and takes well
// under a second when nothing is to be done. `node scripts/setup.mjs` does all of it; other scripts import setUp().

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { planInstall, commandText } from './install_driver.mjs';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CACHE = join(ROOT, 'node_modules', '.cache', 'tilegrad');
const LEAST_NODE = 20;
const PROBE_TIMEOUT_MS = 60_000;

/** What stops the set-up, in words for the person at the terminal. */
export class SetUpError extends Error {
  /**
   * @param {string} message
   * @param {string} [fix]
   */
  constructor(message, fix) {
    super(fix ? `${message}\nfix: ${fix}` : message);
  }
}

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

function buildIfStale() {
  const stamp = join(ROOT, 'dist', '.stamp');
  const state = fingerprint([
    'src',
    'shaders',
    'tsconfig.json',
    'tsconfig.build.json',
    'package-lock.json',
  ]);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return;
  say('building dist');
  const steps = [
    [join(ROOT, 'scripts', 'embed_shaders.mjs')],
    [
      join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'),
      '-p',
      join(ROOT, 'tsconfig.build.json'),
    ],
  ];
  for (const step of steps) {
    const result = spawnSync(process.execPath, step, { cwd: ROOT, stdio: 'inherit' });
    if (result.status !== 0)
      throw new SetUpError('set-up: the build failed, see the messages above');
  }
  removeOrphans();
  writeFileSync(
    stamp,
    fingerprint(['src', 'shaders', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json']),
  );
}

/** Deletes from dist what was built from a source file that is no longer there. */
function removeOrphans() {
  for (const path of filesBelow(join(ROOT, 'dist'))) {
    const stem = relative(join(ROOT, 'dist'), path).match(/^(.*?)\.(js|d\.ts|js\.map)$/)?.[1];
    if (stem !== undefined && !existsSync(join(ROOT, 'src', `${stem}.ts`))) rmSync(path);
  }
}

/** @param {string[]} entries files and folders below the root */
function fingerprint(entries) {
  const hash = createHash('sha256');
  for (const entry of entries) {
    const path = join(ROOT, entry);
    if (!existsSync(path)) continue;
    for (const file of statSync(path).isDirectory() ? filesBelow(path) : [path]) {
      // The embedded shader texts are made by the build itself.
      if (file.endsWith('.generated.ts')) continue;
      const { size, mtimeMs } = statSync(file);
      hash.update(`${relative(ROOT, file)} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest('hex');
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    });
}

/**
 * Finds an adapter, and where a Linux machine has none installs Mesa's software driver.
 *
 * @returns {Record<string, string>} variables that the Vulkan loader needs to see it; mostly none
 */
function ensureAdapter() {
  const stamp = join(CACHE, 'adapter.json');
  const known = existsSync(stamp) ? JSON.parse(readFileSync(stamp, 'utf8')) : {};
  if (known.machine === machineState()) return known.env;

  let found = findAdapter();
  if (!found && process.platform === 'linux') {
    installSoftwareDriver();
    found = findAdapter();
  }
  if (!found) {
    throw new SetUpError(
      'set-up: no WebGPU adapter: Dawn finds no usable Vulkan, Metal or D3D12 driver',
      process.platform === 'linux'
        ? 'install the driver of your GPU, or Mesa 25 or newer for its software driver (lavapipe)'
        : 'install the current driver of your GPU',
    );
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, JSON.stringify({ machine: machineState(), ...found }));
  say(`adapter: ${found.description}`);
  return found.env;
}

/** Changes when the adapter has to be looked for again: other drivers, another machine, another Dawn. */
function machineState() {
  const drivers = icdFiles().map((path) => `${path} ${statSync(path).mtimeMs}`);
  const dawn = JSON.parse(
    readFileSync(join(ROOT, 'node_modules', 'webgpu', 'package.json'), 'utf8'),
  );
  const { VK_ICD_FILENAMES = '', VK_DRIVER_FILES = '' } = process.env;
  return [hostname(), dawn.version, VK_ICD_FILENAMES, VK_DRIVER_FILES, ...drivers].join('|');
}

function icdFiles() {
  return ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d']
    .filter((folder) => existsSync(folder))
    .flatMap(filesBelow);
}

/** @returns {{ description: string, env: Record<string, string> } | null} */
function findAdapter() {
  const ordinary = probe({});
  if (ordinary) return { description: ordinary, env: {} };
  // A driver that Dawn cannot use may hide the software one: show the loader that one alone.
  const software = icdFiles().find((path) => /lvp_icd[^/]*\.json$/.test(path));
  if (!software) return null;
  const env = { VK_DRIVER_FILES: software, VK_ICD_FILENAMES: software };
  const description = probe(env);
  return description ? { description, env } : null;
}

/**
 * Asks Dawn for an adapter and a device in a process of its own: a driver that crashes takes only that one down.
 *
 * @param {Record<string, string>} env
 * @returns {string | null} the adapter's description
 */
function probe(env) {
  const result = spawnSync(process.execPath, [join(ROOT, 'scripts', 'probe_adapter.mjs')], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: PROBE_TIMEOUT_MS,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return result.status === 0 ? result.stdout.trim() : null;
}

function installSoftwareDriver() {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const plan = planInstall(release, aptSources());
  if (!plan) {
    throw new SetUpError(
      'set-up: no WebGPU adapter, and no known way to install one on this Linux',
      'install Mesa 25 or newer with its Vulkan drivers (lavapipe) and the Vulkan loader',
    );
  }
  const isRoot = process.getuid?.() === 0;
  const maySudo = !isRoot && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
  if (!plan.automatic || (!isRoot && !maySudo)) {
    throw new SetUpError(
      'set-up: no WebGPU adapter on this machine',
      `install a driver with\n  ${commandText(plan.steps, isRoot ? '' : 'sudo ')}`,
    );
  }
  say('no WebGPU adapter: installing Mesa’s software Vulkan driver');
  for (const step of plan.steps) {
    const argv = [
      ...(isRoot ? [] : ['sudo', '-n']),
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      ...step.argv,
    ];
    const result = spawnSync(argv[0], argv.slice(1), {
      input: step.input ?? '',
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    if (result.status !== 0 && step.required) {
      process.stderr.write(`${result.stdout}${result.stderr}`);
      throw new SetUpError(
        `set-up: \`${step.argv.join(' ')}\` failed, see above`,
        `once it works by hand, run this again:\n  ${commandText(plan.steps, isRoot ? '' : 'sudo ')}`,
      );
    }
  }
}

/** The text of apt's source lists, as far as they can be read. */
function aptSources() {
  const folder = '/etc/apt/sources.list.d';
  const paths = ['/etc/apt/sources.list', ...(existsSync(folder) ? filesBelow(folder) : [])];
  return paths
    .filter((path) => existsSync(path) && /\.(list|sources)$/.test(path))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
}

/** @param {string} line */
function say(line) {
  process.stderr.write(`set-up: ${line}\n`);
}

/**
 * Runs `work` and ends the process with exit code 1 and a short message where the set-up fails.
 *
 * @template T
 * @param {() => T} work
 * @returns {T}
 */
export function orExit(work) {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  orExit(() => setUp());
