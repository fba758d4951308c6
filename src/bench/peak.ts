import type { Runtime } from '../gpu/runtime.js';
import { timeRuns } from '../gpu/timing.js';
import { peakCopy, peakFma } from '../kernels/peak.js';
import { randomArray } from '../kernels/random.js';
import type { Peak } from './types.js';

/** Chains of multiply-adds to try; the best depends on latency and on how many registers there are. */
const CHAINS = [2, 4, 8, 16];
/** More than the caches of any adapter, less than any of them can bind. */
const COPY_BYTES = { software: 64 * 2 ** 20, gpu: 512 * 2 ** 20 };

const known = new WeakMap<Runtime, Promise<Peak>>();

/** The peak of an open device, measured once. */
export function peakOf(runtime: Runtime): Promise<Peak> {
  let peak = known.get(runtime);
  if (!peak) known.set(runtime, (peak = measurePeak(runtime)));
  return peak;
}

/**
 * The most FLOP/s and bytes per second this adapter gives a shader: what percentages refer to.
 * The shortest run counts: a peak is what can be reached, not what was usual.
 */
async function measurePeak(runtime: Runtime): Promise<Peak> {
  const { isSoftware, limits } = runtime.info;
  const invocations = isSoftware ? 2 ** 14 : 2 ** 20;
  const rounds = isSoftware ? 2048 : 4096;
  const sink = runtime.alloc([invocations]);
  let gflops = 0;
  for (const chains of CHAINS) {
    let flops = 0;
    const run = (): void => {
      flops = peakFma(runtime, sink, { rounds, chains });
    };
    const { leastMs } = await timeRuns(runtime, run);
    gflops = Math.max(gflops, flops / leastMs / 1e6);
  }
  sink.release();
  const wanted = isSoftware ? COPY_BYTES.software : COPY_BYTES.gpu;
  const size = Math.min(wanted, limits.maxStorageBufferBindingSize ?? 2 ** 27) / 4;
  const source = randomArray(runtime, [size], { kind: 'uniform', low: -1, high: 1 });
  const target = runtime.alloc([size]);
  let bytes = 0;
  const copy = (): void => {
    bytes = peakCopy(runtime, source, target);
  };
  const { leastMs } = await timeRuns(runtime, copy);
  source.release();
  target.release();
  // Half the adapter's memory need not wait for shapes that may never come.
  await runtime.trim();
  return { gflops, gbps: bytes / leastMs / 1e6 };
}
