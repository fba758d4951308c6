import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';

/** Steps whose losses are kept on the GPU; reads must come at least this often. */
export const LOSS_RING = 1024;

const WORDS = 8 + LOSS_RING;

export interface TrainingStatistics {
  /** Σ loss·N over the epoch so far. */
  lossSum: number;
  correct: number;
  count: number;
  /** Steps since the statistics were made. */
  steps: number;
  /** The first step whose loss was NaN or infinite, or null. */
  badStep: number | null;
  losses: Float32Array;
}

/** An array of zeroed statistics; word 4 is the guard that optimizers look at. */
export function newStatistics(runtime: Runtime): GpuArray {
  const statistics = runtime.allocPersistent([WORDS], 'u32');
  runtime.write(statistics, new Uint32Array(WORDS));
  return statistics;
}

/** Adds one step: logits [N K], labels i32 [N], loss [1] the mean over the batch. */
export function recordStatistics(
  runtime: Runtime,
  statistics: GpuArray,
  logits: GpuArray,
  labels: GpuArray,
  loss: GpuArray,
): void {
  const [rows, classes] = logits.shape;
  runtime.dispatch({
    shader: 'training_statistics',
    op: 'training statistics',
    constants: { RING: LOSS_RING },
    bindings: { logits, labels, loss, statistics },
    params: { rows, classes },
    groups: 1,
  });
}

/** Starts an epoch, or continues one with the totals of a checkpoint. */
export function resetStatistics(
  runtime: Runtime,
  statistics: GpuArray,
  totals: { lossSum: number; correct: number; count: number; steps: number },
): void {
  const words = new Uint32Array(WORDS);
  new Float32Array(words.buffer)[0] = totals.lossSum;
  words[1] = totals.correct;
  words[2] = totals.count;
  words[3] = totals.steps;
  runtime.write(statistics, words);
}

export async function readStatistics(
  runtime: Runtime,
  statistics: GpuArray,
): Promise<TrainingStatistics> {
  const words = new Uint32Array(await runtime.read(statistics));
  const floats = new Float32Array(words.buffer);
  return {
    lossSum: floats[0],
    correct: words[1],
    count: words[2],
    steps: words[3],
    badStep: words[4] === 0 ? null : words[5],
    losses: floats.subarray(8),
  };
}
