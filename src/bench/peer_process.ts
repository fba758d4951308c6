import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { DeviceError } from '../errors.js';

/*
 * Another engine in a process of its own. It reads jobs, one line of JSON each, and answers each with
 * a line for every way it measured the job and a last line {"done":true}. Other lines, which its
 * libraries may print, are passed over. With no job it only says whether it can run.
 */

/** One convolution to measure: numbers, and the files its operands lie in as little-endian f32. */
export interface ConvolutionJob {
  shape: string;
  direction: string;
  n: number;
  h: number;
  w: number;
  c: number;
  k: number;
  r: number;
  stride: number;
  p: number;
  q: number;
  padding: 'same' | 'valid' | number;
  isDepthwise: boolean;
  /** x [N H W C], filter [R S C K] or [R S C M], dy [N P Q K]. */
  files: { x: string; filter: string; dy: string };
  /** Where results go, in our layout; the name of each answer's file begins so. */
  output: string;
}

/** What to train: a network from weights, on a batch, by an optimizer; and the files these lie in. */
export interface TrainingJob {
  model: string;
  batchSize: number;
  /** Height, width, channels. */
  input: readonly number[];
  classes: number;
  optimizer: {
    name: string;
    lr: number;
    beta1: number;
    beta2: number;
    epsilon: number;
    momentum: number;
  };
  /** The losses wanted are one before any update, and one after each of these. */
  updates: number;
  /** Where each parameter begins in the file, in elements; names and layouts are those of a state dict. */
  weights: { name: string; shape: readonly number[]; offset: number }[];
  /** Little-endian: weights f32, images f32 [N H W C] as the network sees them, labels i32 [N]. */
  files: { weights: string; images: string; labels: string };
}

/** What a peer answers. */
export interface PeerLine {
  /** Name, version and what was switched on. */
  engine: string;
  adapter: string;
  ms: number | null;
  runs: number;
  /** The file of the result. */
  output?: string;
  /** Whether operands were rounded to fewer bits than f32 has. */
  isReduced?: boolean;
  problem?: string;
  note?: string;
  /** Of a training: before any update, and after each. Null stands for what is no number. */
  losses?: (number | null)[];
  /** From a network with its weights in place to its first loss. */
  firstStepMs?: number;
  peakBytes?: number;
  /** What these bytes count. */
  memoryOf?: string;
}

export type PeerCommand = readonly [command: string, ...args: string[]];

/** Why a peer cannot run at all, with what mends it. */
export class MissingPeer extends DeviceError {}

export class PeerProcess {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly ended: Promise<Error | null>;
  private readonly lines: AsyncIterator<string>;

  constructor(
    readonly name: string,
    [command, ...args]: PeerCommand,
  ) {
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const complaints: string[] = [];
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.push(text));
    // One that ends early has its own reason, told by its exit code.
    this.child.stdin.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      this.child.on('error', (cause) =>
        resolve(new MissingPeer(`${name}: ${command} does not start: ${cause.message}`)),
      );
      this.child.on('close', (code, signal) =>
        resolve(code === 0 ? null : failureOf(name, code ?? signal, complaints.join(''))),
      );
    });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** Errors: what the process ended with, if it ends before it has answered. */
  async measure(job: ConvolutionJob | TrainingJob): Promise<PeerLine[]> {
    this.child.stdin.write(`${JSON.stringify(job)}\n`);
    const answers: PeerLine[] = [];
    for (;;) {
      const next = await this.lines.next();
      if (next.done)
        throw (await this.ended) ?? new DeviceError(`${this.name} ended without an answer`);
      const answer = parseAnswer(next.value);
      if (answer === 'done') return answers;
      if (answer !== null) answers.push(answer);
    }
  }

  /** Lets the process end. Errors: what it ended with, where that was not in order. */
  async close(): Promise<void> {
    this.child.stdin.end();
    const failure = await this.ended;
    if (failure) throw failure;
  }

  /** Ends the process whatever it is doing. */
  kill(): void {
    this.child.kill();
  }
}

/** An answer, the end of the answers, or null for a line of something else. */
export function parseAnswer(line: string): PeerLine | 'done' | null {
  if (!line.startsWith('{')) return null;
  let value: Partial<PeerLine> & { done?: boolean };
  try {
    value = JSON.parse(line) as typeof value;
  } catch {
    return null;
  }
  if (value.done) return 'done';
  return typeof value.engine === 'string' ? (value as PeerLine) : null;
}

/** A peer says what is missing in lines that begin with `missing:` and `fix:`. */
function failureOf(name: string, code: number | string | null, complaints: string): DeviceError {
  const missing = /^missing: (.*)$/m.exec(complaints)?.[1];
  const fix = /^fix: (.*)$/m.exec(complaints)?.[1];
  if (missing) return new MissingPeer(`${name}: ${missing}`, fix);
  const last = complaints.trim().split('\n').at(-1);
  return new DeviceError(`${name} ended with ${code}${last ? `: ${last}` : ''}`);
}
