// The programs that `npm run test:all` needs beside the checkout. Each is found, or installed where this user may: by
// apt where that is Debian's and this is root, otherwise below node_modules/.cache. What cannot be had is a SetUpError.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, say, SetUpError } from './setup_lib.mjs';

const CACHE = join(ROOT, 'node_modules', '.cache', 'tilegrad', 'test-all');
const LIMIT_MS = 15 * 60_000;

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} [cwd]
 */
function run(command, args, cwd = ROOT) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const result = spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: LIMIT_MS });
  if (result.status === 0) return result.stdout;
  const why = (result.error?.message ?? result.stderr).trim().split('\n').slice(-3).join(' ');
  throw new SetUpError(`\`${[command, ...args].join(' ')}\` failed: ${why}`);
}

/**
 * @param {string} command
 * @param {string[]} args
 */
const works = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

let isUpdated = false;

/** @param {string[]} packages */
function aptInstall(...packages) {
  if (!works('apt-get', '--version')) throw new SetUpError(`no ${packages.join(', ')}, and no apt`);
  if (process.getuid?.() !== 0) {
    throw new SetUpError(`not installed: sudo apt-get install ${packages.join(' ')}`);
  }
  say(`installing ${packages.join(', ')}`);
  if (!isUpdated) spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore', timeout: LIMIT_MS });
  isUpdated = true;
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages]);
}

/** A folder of the cache that `make` filled as a whole. */
function cached(/** @type {string} */ name, /** @type {(folder: string) => void} */ make) {
  const folder = join(CACHE, name);
  const done = join(folder, '.done');
  if (existsSync(done)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  make(folder);
  writeFileSync(done, '');
  return folder;
}

/** @returns {string} the program */
export function chromium() {
  const named = process.env.CHROMIUM;
  const names = named ? [named] : ['chromium', 'google-chrome'];
  const find = () => names.find((name) => works(name, '--version'));
  if (!named && !find()) aptInstall('chromium');
  const found = find();
  if (!found) throw new SetUpError(`${names[0]} does not start`);
  return found;
}

/** @returns {string} the manifest of Chromium's software Vulkan driver, for VK_DRIVER_FILES */
export function swiftShader() {
  const library = 'libvk_swiftshader.so';
  const folders = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome'];
  let place = folders.find((folder) => existsSync(join(folder, library)));
  place ??= join(cached('swiftshader', unpackSwiftShader), 'usr', 'lib', 'chromium');
  if (!existsSync(join(place, library))) throw new SetUpError(`${place} has no ${library}`);
  mkdirSync(CACHE, { recursive: true });
  const manifest = join(CACHE, 'swiftshader_icd.json');
  const ICD = { library_path: join(place, library), api_version: '1.3.0' };
  writeFileSync(manifest, JSON.stringify({ file_format_version: '1.0.0', ICD }));
  return manifest;
}

/** @param {string} folder */
function unpackSwiftShader(folder) {
  if (!works('apt-get', '--version')) throw new SetUpError('no Chromium, and no apt to fetch it');
  // Only root may renew the lists; without them an older one may do.
  if (process.getuid?.() === 0) spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
  run('apt-get', ['download', '-qq', 'chromium-common'], folder);
  const archive = readdirSync(folder).find((name) => name.endsWith('.deb'));
  if (!archive) throw new SetUpError('apt-get download left no package');
  run('dpkg', ['-x', archive, '.'], folder);
  rmSync(join(folder, archive));
}

/** @returns {string} manifest of Mesa's software Vulkan driver */
export function lavapipe() {
  for (const folder of ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d']) {
    const names = existsSync(folder) ? readdirSync(folder) : [];
    const name = names.find((each) => /^lvp_icd.*\.json$/.test(each));
    if (name) return join(folder, name);
  }
  throw new SetUpError('no lavapipe among the Vulkan drivers');
}

/** @returns {string} a Python with TensorBoard and safetensors from PyPI */
export function pypi() {
  const folder = cached('pypi', (made) => {
    const python = ['python3', '/usr/bin/python3'].find((name) => works(name, '-m', 'venv', made));
    if (!python) throw new SetUpError('no python3 with venv (Debian: python3-venv)');
    // Its loaders import pkg_resources, which later versions of setuptools have no more.
    const packages = ['tensorboard==2.21.0', 'setuptools<81', 'safetensors==0.8.0', 'numpy'];
    run(join(made, 'bin', 'pip'), ['install', '-q', ...packages]);
  });
  return join(folder, 'bin', 'python');
}

/** @returns {string} a Python that reads weight files: Debian's h5py and PyTorch */
export function readers() {
  const named = process.env.TILEGRAD_PYTHON;
  const python = named ?? '/usr/bin/python3';
  const canRead = () => works(python, '-c', 'import h5py, torch');
  if (!named && !canRead()) aptInstall('python3-h5py', 'python3-torch');
  if (!canRead()) throw new SetUpError(`${python} cannot import h5py and torch`);
  return python;
}

/** Packages of npm that hold a runtime's program as it is: no script has to fetch it. */
const RUNTIMES = {
  bun: {
    version: '1.4.5',
    packages: {
      'linux-x64': '@oven/bun-linux-x64',
      'linux-arm64': '@oven/bun-linux-aarch64',
      'darwin-arm64': '@oven/bun-darwin-aarch64',
    },
    program: 'bin/bun',
  },
  deno: {
    version: '2.9.6',
    packages: {
      'linux-x64': '@deno/linux-x64-glibc',
      'linux-arm64': '@deno/linux-arm64-glibc',
      'darwin-arm64': '@deno/darwin-arm64',
    },
    program: 'deno',
  },
};

/**
 * @param {'bun' | 'deno'} name
 * @returns {string} the program
 */
export function runtime(name) {
  const { version, packages, program } = RUNTIMES[name];
  const system = `${process.platform}-${process.arch}`;
  const package_ = /** @type {Record<string, string>} */ (packages)[system];
  if (!package_) throw new SetUpError(`no package of ${name} is known for ${system}`);
  const folder = cached(`${name}-${version}`, (made) => {
    writeFileSync(join(made, 'package.json'), '{"private":true}');
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    run('npm', ['install', ...flags, `${package_}@${version}`], made);
  });
  return join(folder, 'node_modules', package_, program);
}
