import { GradError } from '../errors.js';
import { Extent } from './extent.js';
import type { InputMetas, OpRecord, Plan } from './record.js';

/* What is known while ops run: whether they are recorded, for which module, and who watches. */

let recordingDisabled = 0;
let segment: Segment | null = null;
let isRunAgain = false;
let moduleStack: string[] = [];

/** A stretch of the program whose ops are not recorded, since backward runs it again. */
export interface Segment {
  /** The nodes of its inputs. */
  readonly nodes: ReadonlySet<object>;
  /** Whether a gradient may be wanted of something inside; found out while it runs. */
  wantsGrad: boolean;
}

/** False inside noGrad, and in a segment that backward will run again. */
export function isRecording(): boolean {
  return recordingDisabled === 0 && segment === null;
}

/** True inside noGrad: what runs now is not run backward, not even as part of a segment. */
export function isGradFree(): boolean {
  return recordingDisabled > 0;
}

/**
 * Tells the segment that is running that `op` may want a gradient for its input. `node` is the one
 * the input came from; a node from outside that is no input of the segment would be lost.
 */
export function noteTarget(op: string, input: string, node: { name: string } | null): void {
  if (!segment || isGradFree()) return;
  segment.wantsGrad = true;
  if (node && !segment.nodes.has(node)) {
    throw new GradError(
      `recompute: ${op} takes as ${input} the result of ${node.name}, which is no input of the segment`,
      'pass it to recompute as an input',
    );
  }
}

/** Runs `fn`, which is synchronous, as a segment. */
export function asSegment<T>(own: Segment, fn: () => T): T {
  const before = segment;
  segment = own;
  try {
    return fn();
  } finally {
    segment = before;
  }
}

/** Runs a segment, which is synchronous, for the second time, and records it. */
export function runAgain<T>(fn: () => T): T {
  const before = { recordingDisabled, segment, isRunAgain };
  [recordingDisabled, segment, isRunAgain] = [0, null, true];
  try {
    return fn();
  } finally {
    ({ recordingDisabled, segment, isRunAgain } = before);
  }
}

/** True while a segment runs for the second time: what it changes was changed by the first. */
export function isRepeated(): boolean {
  return isRunAgain;
}

const gradFree = new Extent(
  'noGrad',
  'await the other one first, or put only the synchronous calls inside noGrad',
);

/**
 * Runs `fn` without leaving anything on the tape. With an async function nothing is recorded until
 * its promise settles, whoever runs ops meanwhile.
 *
 * **Errors** GradError for an async function while another one is inside noGrad.
 */
export function noGrad<T>(fn: () => T): T {
  recordingDisabled++;
  return gradFree.run(fn, () => recordingDisabled--);
}

/** Names ops after the module whose forward is running. */
export function withOrigin<T>(name: string, fn: () => T): T {
  const before = moduleStack;
  moduleStack = [...before, name];
  try {
    return fn();
  } finally {
    moduleStack = before;
  }
}

/** The values an op took and gave, to tell them apart by: one object stands for one value. */
export interface OpValues {
  readonly inputs: Readonly<Record<string, object>>;
  readonly output: object;
}

/** What ran: the op, its plan and inputs, the innermost module around it, and its values. */
export type OpWatcher = (
  record: OpRecord,
  plan: Plan,
  inputs: InputMetas,
  options: unknown,
  origin: string | null,
  values: OpValues,
) => void;

/** Each with whether it wants to see the ops one by one. */
const opWatchers = new Map<OpWatcher, boolean>();

/** The innermost module whose forward is running. */
export function currentOrigin(): string | null {
  return moduleStack.at(-1) ?? null;
}

/** Whether anybody wants to see the ops that run one by one, as a program names them. */
export function isWatchingOps(): boolean {
  return [...opWatchers.values()].includes(true);
}

/** Tells the watchers of an op that ran. */
export const showOp: OpWatcher = (...op) => {
  for (const watch of opWatchers.keys()) watch(...op);
};

/** Shows every op that runs inside `fn` to `watch`; with `apart` none is fused with its neighbours. */
export function watchOps<T>(watch: OpWatcher, fn: () => T, { apart = true } = {}): T {
  opWatchers.set(watch, apart);
  try {
    return fn();
  } finally {
    opWatchers.delete(watch);
  }
}
