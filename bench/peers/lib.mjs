// What the peers share: reading the jobs, Dawn as navigator.gpu, operands, timing, answers.
//
// A peer is a program: it reads jobs, one line of JSON each (see src/bench/peer_process.ts), answers each with lines
// of JSON and a last line {"done":true}, and ends when its input does. Without a job it only says whether it can run.

import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { create, globals } from 'webgpu';

/**
 * @typedef {object} Job
 * @property {string} shape
 * @property {'forward' | 'grad-input' | 'grad-weight'} direction
 * @property {number} n
 * @property {number} h
 * @property {number} w
 * @property {number} c
 * @property {number} k
 * @property {number} r
 * @property {number} stride
 * @property {number} p
 * @property {number} q
 * @property {'same' | 'valid' | number} padding
 * @property {boolean} isDepthwise
 * @property {{ x: string, filter: string, dy: string }} files
 * @property {string} output
 *
 * @typedef {object} Operands
 * @property {Float32Array} x [N H W C]
 * @property {Float32Array} filter [R S C K], of a depthwise convolution [R S C M]
 * @property {Float32Array} dy [N P Q K]; zeros in the forward direction, which has no use for it
 *
 * @typedef {object} Engine
 * @property {string} name with its version
 * @property {string} note what must be known of its times
 * @property {(job: Job, operands: Operands) => Promise<Work>} prepare
 *
 * @typedef {object} Work
 * @property {() => unknown} run records one computation, and gives back its memory
 * @property {() => Promise<unknown>} wait until the GPU is done
 * @property {() => Promise<Float32Array>} result of one computation, in the layout of the operands
 * @property {() => void} close
 */

/** Dawn's entry must stay referenced as long as the process lives. */
const pinned = [];

/** Puts Dawn where a browser has it; returns the name of its adapter. */
export async function provideGpu() {
  Object.assign(globalThis, globals);
  const gpu = create(['enable-dawn-features=allow_unsafe_apis']);
  pinned.push(gpu);
  const scope = /** @type {{ navigator?: object }} */ (globalThis);
  if (!scope.navigator) {
    Object.defineProperty(scope, 'navigator', { value: { userAgent: 'node' } });
  }
  Object.defineProperty(scope.navigator, 'gpu', { value: gpu });
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) stop('no WebGPU adapter was found');
  return adapter?.info.description ?? '';
}

/**
 * Imports a package that the person installs on demand.
 *
 * @param {string[]} names
 * @returns {Promise<any[]>}
 */
export async function load(names) {
  try {
    return await Promise.all(names.map((name) => import(name)));
  } catch (error) {
    if (/** @type {any} */ (error).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return stop(`${names.join(' and ')} cannot be found`, 'npm install --prefix bench/peers');
  }
}

/**
 * Ends the process with what is missing.
 *
 * @param {string} missing
 * @param {string} [fix]
 * @returns {never}
 */
export function stop(missing, fix) {
  process.stderr.write(`missing: ${missing}\n${fix ? `fix: ${fix}\n` : ''}`);
  process.exit(3);
}

/** @type {string | null} */
let gpuError = null;

/**
 * Notes what a device complains of: work that was refused took no time.
 *
 * @param {GPUDevice} device
 */
export function watchErrors(device) {
  device.onuncapturederror = (event) => {
    event.preventDefault();
    gpuError ??= event.error.message;
  };
}

/**
 * Answers each job on standard input, with a problem where that fails.
 *
 * @param {{ engine: string, adapter: string, note: string }} head of every answer
 * @param {(job: any) => Promise<object>} answer
 */
export async function answerJobs(head, answer) {
  for await (const text of createInterface({ input: process.stdin })) {
    let line;
    gpuError = null;
    try {
      line = { ...head, ...(await answer(JSON.parse(text))) };
      if (gpuError !== null) throw new Error(gpuError);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      line = { ...head, ms: null, runs: 0, problem: reason.split('\n')[0] };
    }
    process.stdout.write(`${JSON.stringify(line)}\n{"done":true}\n`);
  }
  process.stdout.write('', () => process.exit(0));
}

/**
 * Runs an engine over the convolutions on standard input.
 *
 * @param {string} adapter
 * @param {Engine} engine
 */
export async function serve(adapter, { name, note, prepare }) {
  await answerJobs({ engine: name, adapter, note }, async (/** @type {Job} */ job) => {
    const work = await prepare(job, operandsOf(job));
    writeFileSync(job.output, await work.result());
    const timed = await measure(work, adapter);
    work.close();
    return { ...timed, output: job.output };
  });
}

/**
 * @param {Job} job
 * @returns {Operands}
 */
function operandsOf({ direction, n, p, q, k, files }) {
  const dy = direction === 'forward' ? new Float32Array(n * p * q * k) : floatsOf(files.dy);
  return { x: floatsOf(files.x), filter: floatsOf(files.filter), dy };
}

/** @param {string} path */
export function floatsOf(path) {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

const cell = new Int32Array(new SharedArrayBuffer(4));

/**
 * While a promise of Dawn's is pending Node's event loop spins; a software adapter needs that
 * processor itself. The engine's own waits sleep likewise, so the comparison is even.
 *
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
function patiently(promise) {
  let isDone = false;
  const nap = () => {
    if (isDone) return;
    Atomics.wait(cell, 0, 0, 0.5);
    setImmediate(nap);
  };
  setImmediate(nap);
  return promise.finally(() => {
    isDone = true;
  });
}

/**
 * Waits as is best on an adapter.
 *
 * @template T
 * @param {string} adapter
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export function waitFor(adapter, promise) {
  return SOFTWARE.test(adapter) ? patiently(promise) : promise;
}

const SOFTWARE = /llvmpipe|swiftshader|lavapipe|software|warp|basic render/i;
const BUDGET_MS = 500;
const BATCH_MS = 20;

/**
 * As the bench times its own kernels without timestamps: warm-up, batches between waits, median.
 *
 * @param {Work} work
 * @param {string} adapter
 */
async function measure({ run, wait }, adapter) {
  const time = async (/** @type {number} */ count) => {
    const start = performance.now();
    for (let i = 0; i < count; i++) run();
    await waitFor(adapter, wait());
    return (performance.now() - start) / count;
  };
  await time(1);
  const first = await time(1);
  const batch = Math.max(1, Math.min(1000, Math.floor(BATCH_MS / first)));
  const fewest = first > 2 * BUDGET_MS ? 3 : 5;
  const runs = Math.max(fewest, Math.min(100, Math.floor(BUDGET_MS / (first * batch))));
  const samples = [];
  while (samples.length < runs) samples.push(await time(batch));
  samples.sort((a, b) => a - b);
  const middle = samples.length >> 1;
  const ms = samples.length % 2 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
  return { ms, runs };
}
