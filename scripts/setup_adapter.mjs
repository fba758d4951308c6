// The adapter a fresh machine needs: found, remembered, and on Linux installed where there is none.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { commandText, planInstall } from './install_driver.mjs';
import { filesBelow, ROOT, say, SetUpError } from './setup_lib.mjs';

const STAMP = join(ROOT, 'node_modules', '.cache', 'tilegrad', 'adapter.json');
const PROBE_TIMEOUT_MS = 60_000;

/**
 * Finds an adapter, and where a Linux machine has none installs Mesa's software driver.
 *
 * @returns {Record<string, string>} variables that the Vulkan loader needs to see it; mostly none
 */
export function ensureAdapter() {
  const known = existsSync(STAMP) ? JSON.parse(readFileSync(STAMP, 'utf8')) : {};
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
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, JSON.stringify({ machine: machineState(), ...found }));
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
