import type { TuningFigures } from '../tune/report.js';
import type { ProfileRow } from './profile.js';
import type { StepReport } from './profile_step.js';

/** What the bench is asked for and what it answers. */

export const benchOps = [
  'conv2d',
  'matmul',
  'batch-norm',
  'pool',
  'reduce',
  'softmax-cross-entropy',
  'optimizer',
  'train',
] as const;
export type BenchOpName = (typeof benchOps)[number];

export const directions = ['forward', 'grad-input', 'grad-weight'] as const;
export type Direction = (typeof directions)[number];

export const peerNames = ['tfjs', 'jax-js', 'torch'] as const;
export type PeerName = (typeof peerNames)[number];

export const scales = ['full', 'small'] as const;
export type Scale = (typeof scales)[number];

/** The options of `tilegrad bench`, as given. */
export interface BenchRequest {
  op: BenchOpName;
  suite?: string | undefined;
  shape?: string | undefined;
  /** `small`: batches of the suite made smaller for a software adapter. */
  scale?: Scale | undefined;
  direction?: Direction | 'all' | undefined;
  /** One kernel, `chosen` for the one that runs by default, or `all`. */
  variant?: string | undefined;
  dtype?: 'f32' | 'f16' | undefined;
  against?: readonly PeerName[] | undefined;
  /** Tune the shapes before they are measured. */
  tune?: boolean | undefined;
  /** Say of each kernel what bounds it. */
  explain?: boolean | undefined;
  /** Run segments of the network again in backward, instead of keeping their activations. */
  recompute?: boolean | undefined;
  /** Account for the whole time and memory of a training step. */
  profile?: boolean | undefined;
  /** Where the timed kernels of some steps go, as a Chrome trace. */
  traceFile?: string | undefined;
}

/** One line of the table. */
export interface BenchRow {
  op: BenchOpName;
  /** In the form `--shape` takes. */
  shape: string;
  direction: string;
  variant: string;
  dtype: 'f32' | 'f16';
  /** Median; null if the result was wrong, or the engine failed. */
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
  /** Of another engine: its largest difference from our result over the largest of our values. */
  relativeError?: number;
  /** Of another engine: whether it rounds its operands to fewer bits than f32 has. */
  isReduced?: boolean;
  /** Of a training step. */
  training?: TrainingFigures;
  /** What bounds the kernel, where it was asked for. */
  explain?: Explanation;
}

/** What is said of a training step beside its time. */
export interface TrainingFigures {
  imagesPerSecond: number | null;
  /** From a network with its weights in place to the end of its first step, with compiling. */
  firstStepMs: number | null;
  peakBytes: number | null;
  /** What these bytes count. */
  memoryOf: string;
  /** Before any update and after each of ten, where engines are compared. */
  losses?: (number | null)[];
}

/** What bounds a kernel: counts, the times these take at the measured peaks, and occupancy. */
export interface Explanation {
  /** Of the op, each array touched once. */
  flops: number;
  bytes: number;
  /** FLOP a byte of the op; the peaks meet at `ridge`. */
  intensity: number;
  ridge: number;
  computeMs: number;
  memoryMs: number;
  /** The roofline: the larger of the two. */
  limitMs: number;
  bound: 'compute' | 'memory';
  /** The limit over the time that was measured, in percent. */
  percentOfLimit: number;
  /** Sum of the limits of the dispatches, with what this kernel moves between them. */
  kernelLimitMs: number;
  dispatches: DispatchExplanation[];
  /** What keeps the kernel from its limit, as far as can be counted. */
  finding: string;
}

/** One dispatch of a kernel. */
export interface DispatchExplanation {
  op: string;
  shader: string;
  /** Null if timestamps are not to be had. */
  ms: number | null;
  flops: number;
  bytes: number;
  limitMs: number;
  workgroups: number;
  workgroupSize: number;
  workgroupBytes: number;
  /** Workgroups the adapter holds at a time, and rounds of them; null if that is not known. */
  resident: number | null;
  rounds: number | null;
}

/** One engine beside ours over all shapes and directions that both computed. */
export interface EngineComparison {
  engine: string;
  /** Geometric mean of its time over ours: above 1 we are faster. */
  geometricMean: number;
  count: number;
  isReduced: boolean;
}

/** Our chosen kernels beside the best other engine of each shape and direction. */
export interface Comparison {
  /** Geometric mean of the best engine's time over ours: above 1 we are faster. Null without any. */
  geometricMean: number | null;
  count: number;
  /** Where another engine is faster; `ratio` is its speed over ours. */
  slower: { shape: string; direction: string; engine: string; ratio: number }[];
  engines: EngineComparison[];
  /** Engines that were asked for and are not there. */
  missing: { peer: PeerName; reason: string }[];
  /** Of training: at which rate losses were compared, and how far each may be off, relatively. */
  losses?: { optimizer: string; lr: number; usualLr: number; allowed: number[] };
}

export interface Peak {
  gflops: number;
  gbps: number;
}

/** Training as a whole. */
export interface TrainingRow {
  model: string;
  parameters: number;
  batchSize: number;
  input: readonly number[];
  /** Of the operands of convolutions and matmuls. */
  dtype: 'f32' | 'f16';
  /** Segments that backward runs again, by name; null if that was not asked for. */
  recompute: string[] | null;
  firstStepMs: number;
  stepMs: number;
  imagesPerSecond: number;
  /** The most bytes live at once in the first step, as `device.memory` counts. */
  peakBytes: number;
  /** After the last step; null in full precision, which has no scale. */
  lossScale: { scale: number; skippedSteps: number } | null;
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
  /** The whole step, where its profile was asked for. */
  step?: StepReport;
  /** What tuning chose, where it was asked for. */
  tuning?: TuningFigures;
  /** Where other engines were asked for. */
  comparison?: Comparison;
  /** What `--scale` changed. */
  scale?: { name: Scale; notes: string[] };
}
