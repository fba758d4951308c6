import { availableParallelism } from 'node:os';
import type { DeviceInfo } from '../gpu/adapter.js';
import type { ShaderFigures } from './shader_figures.js';

/*
 * How many workgroups an adapter holds at a time. WebGPU does not report it, so it is computed:
 *
 *   software   one workgroup a processor core, whatever its size
 *   GPU        M · min(⌊T / workgroup size⌋, ⌊B / workgroup bytes⌋, G) for M multiprocessors with room
 *              for T invocations, B bytes of workgroup memory and G workgroups each
 *
 * Register use, which may lower it, cannot be queried. M, T, B and G are known for the GPUs below.
 */

interface Multiprocessors {
  count: number;
  invocations: number;
  bytes: number;
  groups: number;
}

const KIB = 1024;

/** By part of the adapter's description: NVIDIA's architecture white papers and tuning guides. */
const known: readonly (readonly [RegExp, Multiprocessors])[] = [
  [/\bH200\b|\bH100\b(?!.*PCIe)/i, gpu(132, 2048, 228, 32)],
  [/\bH100\b.*PCIe/i, gpu(114, 2048, 228, 32)],
  [/\bA100\b/i, gpu(108, 2048, 164, 32)],
  [/\bL40S?\b/i, gpu(142, 1536, 100, 24)],
  [/\bL4\b/i, gpu(58, 1536, 100, 24)],
  [/RTX 4090\b/i, gpu(128, 1536, 100, 24)],
  [/RTX 3090\b(?! Ti)/i, gpu(82, 1536, 100, 16)],
  [/\bV100\b/i, gpu(80, 2048, 96, 32)],
  [/\bT4\b/i, gpu(40, 1024, 64, 16)],
];

function gpu(count: number, invocations: number, kibibytes: number, groups: number) {
  return { count, invocations, bytes: kibibytes * KIB, groups };
}

/** What holds workgroups: cores of a software adapter, or multiprocessors where they are known. */
export function holderOf(info: Pick<DeviceInfo, 'isSoftware' | 'description'>): {
  /** In words, with the formula. */
  text: string;
  /** Workgroups at a time; null if that is not known. */
  resident: (figures: ShaderFigures) => number | null;
} {
  if (info.isSoftware) {
    const cores = availableParallelism();
    return {
      text: `${cores} processor cores hold a workgroup each`,
      resident: () => cores,
    };
  }
  const found = known.find(([pattern]) => pattern.test(info.description))?.[1];
  if (!found) {
    return {
      text: 'how many workgroups this GPU holds is not known: M · min(⌊T / size⌋, ⌊B / bytes⌋, G) for M multiprocessors of T invocations, B bytes and G workgroups',
      resident: () => null,
    };
  }
  const { count, invocations, bytes, groups } = found;
  return {
    text: `${count} multiprocessors hold ${count} · min(⌊${invocations} / size⌋, ⌊${bytes} / bytes⌋, ${groups}) workgroups, fewer where registers run out`,
    resident: ({ workgroupSize, workgroupBytes }) => {
      const byBytes = workgroupBytes > 0 ? Math.floor(bytes / workgroupBytes) : Infinity;
      return count * Math.min(Math.floor(invocations / workgroupSize), byBytes, groups);
    },
  };
}
