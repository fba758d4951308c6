import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { create, globals } from 'webgpu';
import { DeviceError } from '../../errors.js';

/*
 * Dawn hides shader-f16 on NVIDIA's Vulkan driver behind a toggle, rounds timestamps to 65 µs
 * by default, and offers subgroup matrices as an "unsafe" feature.
 */
const DAWN_TOGGLES = [
  'enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia',
  'disable-dawn-features=timestamp_quantization',
];

const shaderFolder = new URL('../../../shaders/', import.meta.url);
const texts = new Map<string, string>();

export function shaderText(path: string): string {
  let text = texts.get(path);
  if (text === undefined) {
    text = readFileSync(new URL(path, shaderFolder), 'utf8');
    texts.set(path, text);
  }
  return text;
}

/* Dawn crashes if the object is collected while its devices live, so it is never released. */
const instances = new Map<string, GPU>();

export function gpu({ isNull = false, adapter }: { isNull?: boolean; adapter?: string } = {}): GPU {
  const choice = isNull ? 'backend=null' : adapter === undefined ? '' : `adapter=${adapter}`;
  let instance = instances.get(choice);
  if (!instance) {
    Object.assign(globalThis, globals);
    try {
      // If a setting occurs twice, the last one wins.
      instance = create([...DAWN_TOGGLES, ...extraToggles(), choice].filter(Boolean));
      instances.set(choice, instance);
    } catch (cause) {
      throw new DeviceError(
        `device: Dawn does not start: ${cause instanceof Error ? cause.message : String(cause)}`,
      );
    }
  }
  return instance;
}

/** No device has this name: Dawn answers such a request with a list of all adapters. */
const NO_NAME = '\u0001';

export async function adapterNames(): Promise<string[]> {
  try {
    await gpu({ adapter: NO_NAME }).requestAdapter();
  } catch (error) {
    return [...String(error).matchAll(/^ \* backend: .*, name: '(.*)'$/gm)].map(([, name]) => name);
  }
  return [];
}

function extraToggles(): string[] {
  return process.env.TILEGRAD_DAWN?.split(';').filter(Boolean) ?? [];
}

export function preferredAdapter(): string | undefined {
  return process.env.TILEGRAD_ADAPTER;
}

export function fusionSetting(): string | undefined {
  return process.env.TILEGRAD_FUSION;
}

export function autotuneSetting(): string | undefined {
  return process.env.TILEGRAD_AUTOTUNE;
}

let collector: (() => void) | null = null;

export function collectGarbage(): void {
  collector ??= findCollector();
  collector();
}

function findCollector(): () => void {
  const { Bun } = globalThis as { Bun?: { gc(isSynchronous: boolean): void } };
  if (Bun) return () => Bun.gc(true);
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

const cell = new Int32Array(new SharedArrayBuffer(4));
const NAP_MS = 0.5;

/**
 * Awaits a promise from Dawn without keeping a core busy. While one is pending, Node's event loop spins
 * through setImmediate and occupies a core that a software adapter needs: sleeping half a millisecond
 * per turn raised a matmul there from 21 to 30 GFLOP/s.
 */
export function patiently<T>(promise: Promise<T>): Promise<T> {
  let isDone = false;
  const nap = (): void => {
    if (isDone) return;
    Atomics.wait(cell, 0, 0, NAP_MS);
    setImmediate(nap);
  };
  setImmediate(nap);
  return promise.finally(() => {
    isDone = true;
  });
}

/**
 * The user's cache folder, by the conventions of the system. TILEGRAD_CACHE names another folder;
 * empty, it says to keep nothing.
 */
export function cacheFolder(
  env: Record<string, string | undefined> = process.env,
  system: string = process.platform,
): string | null {
  if (env.TILEGRAD_CACHE !== undefined) return env.TILEGRAD_CACHE || null;
  if (system === 'win32') {
    return join(env.LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'tilegrad');
  }
  if (system === 'darwin') return join(homedir(), 'Library', 'Caches', 'tilegrad');
  const named = env.XDG_CACHE_HOME ?? '';
  return join(isAbsolute(named) ? named : join(homedir(), '.cache'), 'tilegrad');
}

export function cachePlace(name: string): string | null {
  const folder = cacheFolder();
  return folder === null ? null : join(folder, name);
}

export function readCache(name: string): string | null {
  const path = cachePlace(name);
  if (path === null) return null;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

export function writeCache(name: string, text: string): string | null {
  const folder = cacheFolder();
  if (folder === null) return 'TILEGRAD_CACHE is empty';
  const temporary = join(folder, `.${name}.${process.pid}.tmp`);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(temporary, text);
    renameSync(temporary, join(folder, name));
    return null;
  } catch (cause) {
    try {
      rmSync(temporary, { force: true });
    } catch {
      // Where its folder cannot even be looked into, it was not made.
    }
    return cause instanceof Error ? cause.message : String(cause);
  }
}

export function backendName(): string {
  // What Dawn takes on each system.
  return { darwin: 'metal', win32: 'd3d12' }[process.platform as string] ?? 'vulkan';
}

export function adapterHint(): string {
  return process.platform === 'linux'
    ? 'run `node scripts/setup.mjs`, which installs a software Vulkan driver (Mesa 25), or install the driver of your GPU'
    : 'install the driver of your GPU';
}
