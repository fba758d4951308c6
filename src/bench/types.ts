import type { TunedKernel } from '../kernels/tune_report.js';

/** What the bench is asked for and what it answers. */

export const benchOps = [
  'conv2d',
  'matmul',
  'batch-norm',
  'pool',
  'softmax-cross-entropy',
  'optimizer',
  'train',
] as const;
export type BenchOpName = (typeof benchOps)[number];

export const directions = ['forward', 'grad-input', 'grad-weight'] as const;
export type Direction = (typeof directions)[number];

export const peerNames = ['tfjs', 'jax-js', 'torch'] as const;
export type PeerName = (typeof peerNames)[number];

/** The options of `tilegrad bench`, as given. */
export interface BenchRequest {
  op: BenchOpName;
  suite?: string | undefined;
  shape?: string | undefined;
  direction?: Direction | 'all' | undefined;
  variant?: string | undefined;
  dtype?: 'f32' | 'f16' | undefined;
  against?: readonly PeerName[] | undefined;
  /** Tune the shapes before they are measured. */
  tune?: boolean | undefined;
}

/** One line of the table. */
export interface BenchRow {
  op: BenchOpName;
  /** In the form `--shape` takes. */
  shape: string;
  direction: string;
  variant: string;
  dtype: 'f32' | 'f16';
  /** Median; null where the result was wrong, or the engine failed. */
  ms: number | null;
  gflops: number | null;
  gbps: number | null;
  /** Of the limit that binds: the larger of the shares of peak.gflops and peak.gbps. */
  percentOfPeak: number | null;
  /** Time over the shortest time of the same shape and direction: 1 is the best. */
  ratioToBest: number | null;
  engine: string;
  /** Whether this is the kernel used where nobody asks for another. */
  isChosen: boolean;
  runs: number;
  /** Why there is no time. */
  problem?: string;
  /** What must be known to compare the row with others. */
  note?: string;
}

export interface Peak {
  gflops: number;
  gbps: number;
}

/** What one kernel took in a training step. */
export interface ProfileRow {
  op: string;
  shader: string;
  count: number;
  ms: number;
  percentOfStep: number;
  gflops: number;
}

/** Training as a whole. */
export interface TrainingRow {
  model: string;
  parameters: number;
  batchSize: number;
  input: readonly number[];
  firstStepMs: number;
  stepMs: number;
  imagesPerSecond: number;
}

export interface BenchDocument {
  adapter: string;
  isSoftware: boolean;
  /** Where the times come from. */
  timing: 'timestamp-query' | 'wall clock';
  peak: Peak;
  results: BenchRow[];
  training?: TrainingRow;
  profile?: ProfileRow[];
  /** What tuning chose, where it was asked for. */
  tuning?: TunedKernel[];
}
