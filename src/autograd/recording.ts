import { GradError } from '../errors.js';
import { Extent } from './extent.js';
import type { InputMetas, OpRecord, Plan } from './record.js';

/* State while ops run: whether they are recorded, the current module, and the watchers. */

let recordingDisabled = 0;
let segment: Segment | null = null;
let isRunAgain = false;
let moduleStack: string[] = [];

/** A segment of the program that is not recorded, because backward runs it again. */
export interface Segment {
  /** The nodes of its inputs. */
  readonly nodes: ReadonlySet<object>;
  /** Whether anything inside may need a gradient; set while the segment runs. */
  wantsGrad: boolean;
}

/** False inside noGrad, and in a segment that backward will run again. */
export function isRecording(): boolean {
  return recordingDisabled === 0 && segment === null;
}

/** True inside noGrad: ops are not differentiated, not even as part of a segment. */
export function isGradFree(): boolean {
  return recordingDisabled > 0;
}

/**
 * Notes in the running segment that `op` may need a gradient for its input, which came from `node`. A
 * node from outside that is not an input of the segment would lose its gradient.
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

/** Runs a synchronous segment for the second time, recorded. */
export function runAgain<T>(fn: () => T): T {
  const before = { recordingDisabled, segment, isRunAgain };
  [recordingDisabled, segment, isRunAgain] = [0, null, true];
  try {
    return fn();
  } finally {
    ({ recordingDisabled, segment, isRunAgain } = before);
  }
}

/** True while a segment runs for the second time: state was already updated by the first run. */
export function isRepeated(): boolean {
  return isRunAgain;
}

const gradFree = new Extent(
  'noGrad',
  'await the other one first, or put only the synchronous calls inside noGrad',
);

/**
 * Runs `fn` without leaving anything on the tape. With an async function, no op of any code is recorded
 * until its promise settles.
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

/** Identities of an op's inputs and output: one object per value. */
export interface OpValues {
  readonly inputs: Readonly<Record<string, object>>;
  readonly output: object;
}

/** Called with an op that ran: its record, plan, inputs, innermost module and values. */
export type OpWatcher = (
  record: OpRecord,
  plan: Plan,
  inputs: InputMetas,
  options: unknown,
  origin: string | null,
  values: OpValues,
) => void;

/** Watchers, each with whether it needs ops unfused. */
const opWatchers = new Map<OpWatcher, boolean>();

/** The innermost module whose forward is running. */
export function currentOrigin(): string | null {
  return moduleStack.at(-1) ?? null;
}

/** Whether a watcher needs to see every op by itself, unfused. */
export function isWatchingOps(): boolean {
  return [...opWatchers.values()].includes(true);
}

/** Tells the watchers of an op that ran. */
export const showOp: OpWatcher = (...op) => {
  for (const watch of opWatchers.keys()) watch(...op);
};

/** Calls `watch` for every op that runs inside `fn`; with `apart`, ops are not fused. */
export function watchOps<T>(watch: OpWatcher, fn: () => T, { apart = true } = {}): T {
  opWatchers.set(watch, apart);
  try {
    return fn();
  } finally {
    opWatchers.delete(watch);
  }
}
