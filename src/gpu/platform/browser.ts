import { DeviceError } from '../errors.js';
import { shaders } from './shaders.generated.js';

export function shaderText(path: string): string {
  const text = shaders[path];
  if (text === undefined) throw new DeviceError(`shader ${path}: not in the bundle`);
  return text;
}

export function gpu({ isNull = false } = {}): GPU {
  if (isNull) throw new DeviceError('device: a browser has no null backend');
  const entry = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (!entry) throw new DeviceError('device: this browser has no WebGPU', adapterHint());
  return entry;
}

export function releaseGpu(): void {}

export function preferredAdapter(): string | undefined {
  return undefined;
}

export function collectGarbage(): void {}

export function patiently<T>(promise: Promise<T>): Promise<T> {
  return promise;
}

export function adapterHint(): string {
  return 'use a browser with WebGPU (Chrome, Edge, Safari 26, Firefox 141) on a page served over https';
}
