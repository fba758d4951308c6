/**
 * Threads that decode image files ahead of the GPU.
 *
 * The thread's program is the built decode_worker.js beside this module. Where there is none (the
 * sources run without a build) or a thread does not start, files are decoded in this thread: slower
 * beside a busy main thread, with the same result.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { DataError } from '../../errors.js';
import {
  decodeEach,
  requireAll,
  type DecodedFiles,
  type DecodeFailure,
  type ImageSource,
} from './decode.js';

/** Files to decode into images of one shape. */
export interface DecodeJob {
  id: number;
  files: ImageSource[];
  imageShape: readonly [number, number, number];
}

/** What became of them, or what went wrong with the job as a whole. */
export type DecodeReply = { id: number; decoded: DecodedFiles } | { id: number; message: string };

interface PendingJob {
  job: DecodeJob;
  resolve: (decoded: DecodedFiles) => void;
  reject: (error: Error) => void;
}

/** One thread and the jobs it has not answered. */
interface Thread {
  worker: Worker;
  pending: Map<number, PendingJob>;
}

/** A job has at most so many files: small enough that threads share a batch evenly. */
const FILES_PER_JOB = 16;

export interface DecodePoolOptions {
  /** Threads; 0 decodes in this thread. Default: the processor's, less one, at most 8. */
  threadCount?: number;
  /** @internal The thread’s program. */
  program?: URL;
}

/** Decodes image files on several threads, started when first needed. */
export class DecodePool {
  private readonly threadCount: number;
  private readonly program: URL;
  private threads: Thread[] = [];
  private isThreaded: boolean;
  private nextId = 0;

  constructor(options: DecodePoolOptions = {}) {
    const spare = Math.max(1, availableParallelism() - 1);
    this.threadCount = options.threadCount ?? Math.min(8, spare);
    this.program = options.program ?? new URL('./decode_worker.js', import.meta.url);
    this.isThreaded = this.threadCount > 0 && existsSync(fileURLToPath(this.program));
  }

  /** Threads at work; 0 when files are decoded in this thread. */
  get liveThreads(): number {
    return this.threads.length;
  }

  /** Pixels of the files, [files, H, W, C], in their order; a DataError for the first that fails. */
  async decode(
    files: readonly ImageSource[],
    imageShape: readonly [number, number, number],
  ): Promise<Uint8Array> {
    return requireAll(await this.decodeEach(files, imageShape));
  }

  /** As `decode`, but files that fail are listed beside the pixels of the others. */
  async decodeEach(
    files: readonly ImageSource[],
    imageShape: readonly [number, number, number],
  ): Promise<DecodedFiles> {
    const parts: Promise<DecodedFiles>[] = [];
    for (let begin = 0; begin < files.length; begin += FILES_PER_JOB) {
      parts.push(this.run(files.slice(begin, begin + FILES_PER_JOB), imageShape));
    }
    const pixels = new Uint8Array(files.length * imageShape.reduce((a, b) => a * b, 1));
    const failures: DecodeFailure[] = [];
    let at = 0;
    for (const [job, part] of (await Promise.all(parts)).entries()) {
      pixels.set(part.pixels, at);
      at += part.pixels.length;
      for (const failure of part.failures) {
        failures.push({ ...failure, index: failure.index + job * FILES_PER_JOB });
      }
    }
    return { pixels, failures };
  }

  /** Ends the threads; a later decode starts them again. */
  async close(): Promise<void> {
    const ending = this.threads;
    this.threads = [];
    const closed = new DataError('data: the data set was closed while it was being read');
    for (const { pending } of ending) {
      for (const { reject } of pending.values()) reject(closed);
      pending.clear();
    }
    await Promise.all(ending.map(({ worker }) => worker.terminate()));
  }

  private run(
    files: ImageSource[],
    imageShape: readonly [number, number, number],
  ): Promise<DecodedFiles> {
    if (!this.isThreaded) return decodeEach(files, imageShape);
    while (this.threads.length < this.threadCount) this.threads.push(this.startThread());
    const thread = this.threads.reduce((a, b) => (b.pending.size < a.pending.size ? b : a));
    return new Promise((resolve, reject) => {
      const job = { id: this.nextId++, files, imageShape };
      thread.pending.set(job.id, { job, resolve, reject });
      // A thread keeps the process alive only while it owes an answer.
      thread.worker.ref();
      thread.worker.postMessage(job);
    });
  }

  private startThread(): Thread {
    const thread: Thread = { worker: new Worker(this.program), pending: new Map() };
    thread.worker.on('message', (reply: DecodeReply) => {
      const pending = thread.pending.get(reply.id);
      if (pending === undefined) return;
      thread.pending.delete(reply.id);
      if (thread.pending.size === 0) thread.worker.unref();
      if ('decoded' in reply) pending.resolve(reply.decoded);
      else pending.reject(new DataError(reply.message));
    });
    const drop = (): void => {
      this.threads = this.threads.filter((other) => other !== thread);
      if (thread.pending.size === 0) return;
      // It did not start, or died: what it owes is decoded here, and so is all that follows.
      this.isThreaded = false;
      for (const { job, resolve, reject } of thread.pending.values()) {
        decodeEach(job.files, job.imageShape).then(resolve, reject);
      }
      thread.pending.clear();
    };
    thread.worker.on('error', drop);
    thread.worker.on('exit', drop);
    thread.worker.unref();
    return thread;
  }
}
