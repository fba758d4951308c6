import { DeviceError } from '../../errors.js';
import { shaders } from './shaders.generated.js';

export function shaderText(path: string): string {
  const text = shaders[path];
  if (text === undefined) throw new DeviceError(`shader ${path}: not in the bundle`);
  return text;
}

export function gpu({ isNull = false }: { isNull?: boolean } = {}): GPU {
  if (isNull) throw new DeviceError('device: a browser has no null backend');
  const entry = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (!entry) throw new DeviceError('device: this browser has no WebGPU', adapterHint());
  return entry;
}

/** A page can request adapters by power preference only. */
export function adapterNames(): Promise<string[]> {
  return Promise.resolve([]);
}

export function preferredAdapter(): string | undefined {
  return undefined;
}

export function fusionSetting(): string | undefined {
  return undefined;
}

export function autotuneSetting(): string | undefined {
  return undefined;
}

export function collectGarbage(): void {}

export function patiently<T>(promise: Promise<T>): Promise<T> {
  return promise;
}

const CACHE_PREFIX = 'tilegrad/';

export function readCache(name: string): string | null {
  try {
    return storage()?.getItem(CACHE_PREFIX + name) ?? null;
  } catch {
    return null;
  }
}

export function writeCache(name: string, text: string): string | null {
  try {
    const kept = storage();
    if (!kept) return 'this page has no local storage';
    kept.setItem(CACHE_PREFIX + name, text);
    return null;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}

export function cachePlace(name: string): string | null {
  return `localStorage, under ${CACHE_PREFIX}${name}`;
}

interface TextStorage {
  getItem(key: string): string | null;
  setItem(key: string, text: string): void;
}

/** Accessing it throws in pages without storage permission; workers have none. */
function storage(): TextStorage | undefined {
  return (globalThis as { localStorage?: TextStorage }).localStorage;
}

export function backendName(): string {
  return 'webgpu';
}

export function adapterHint(): string {
  return 'use a browser with WebGPU (Chrome, Edge, Safari 26, Firefox 141) on a page served over https';
}
