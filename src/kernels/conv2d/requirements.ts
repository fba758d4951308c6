import type { DeviceInfo } from '../../gpu/adapter.js';
import type { Conv2dGeometry } from './geometry.js';

/* Conditions that several variants share: each returns null, or what is missing. */

export function needsUngrouped({ groups }: Conv2dGeometry): string | null {
  return groups === 1 ? null : `it needs groups=1, got ${groups}`;
}

export function needsStride1({ strideH, strideW }: Conv2dGeometry): string | null {
  return strideH === 1 && strideW === 1 ? null : `it needs stride 1, got ${strideH}×${strideW}`;
}

export function needsDilation1({ dilationH, dilationW }: Conv2dGeometry): string | null {
  if (dilationH === 1 && dilationW === 1) return null;
  return `it needs dilation 1, got ${dilationH}×${dilationW}`;
}

export function needsMultiple(g: Conv2dGeometry, letter: 'c' | 'k', divisor: number) {
  if (g[letter] % divisor === 0) return null;
  return `it needs ${letter.toUpperCase()} to be a multiple of ${divisor}, got ${g[letter]}`;
}

export function needsBuffer(bytes: number, info: DeviceInfo): string | null {
  const most = info.limits.maxStorageBufferBindingSize ?? 2 ** 27;
  return bytes <= most ? null : `it needs a buffer of ${bytes} bytes, this adapter allows ${most}`;
}
