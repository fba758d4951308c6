import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';

/** Kernels that measure the adapter's peaks for the bench. */

const WORKGROUP = 64;

interface PeakFmaOptions {
  /** Rounds of the loop in each invocation. */
  rounds: number;
  /** Independent chains of vec4 in each invocation. */
  chains: number;
}

/** Multiply-adds in registers; `sink` takes one value of each invocation. Returns the FLOP. */
export function peakFma(runtime: Runtime, sink: GpuArray, options: PeakFmaOptions): number {
  const { rounds, chains } = options;
  // A multiply-add counts two; each chain holds four numbers.
  const flops = sink.size * rounds * chains * 4 * 2;
  runtime.dispatch({
    shader: 'peak_fma',
    op: 'peak fma',
    tune: { CHAINS: chains },
    bindings: { sink },
    params: { size: sink.size, rounds, factor: 0.9990234375, offset: 0.0009765625 },
    groups: Math.ceil(sink.size / WORKGROUP),
    flops,
  });
  return flops;
}

/** target = source, as a kernel; both f32 of the same size. Returns the bytes read and written. */
export function peakCopy(runtime: Runtime, source: GpuArray, target: GpuArray): number {
  const vectors = Math.ceil(source.size / 4);
  const bytes = 2 * source.byteLength;
  runtime.dispatch({
    shader: 'peak_copy',
    op: 'peak copy',
    bindings: { source_values: source, target_values: target },
    params: { vectors },
    groups: Math.ceil(vectors / WORKGROUP),
    bytes,
  });
  return bytes;
}
