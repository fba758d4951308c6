// What the peers share: reading the cases, Dawn as navigator.gpu, data, timing, answers.
//
// A peer is a program: it reads cases [{ shape, direction }] as JSON on standard input (shape is that of `bench conv2d`,
// N,H,W,C,K,R,stride with 'same' padding) and prints one line of JSON for each. No cases: it only says whether it can run.

import { create, globals } from 'webgpu';

/**
 * @typedef {object} Case
 * @property {string} shape
 * @property {string} direction
 *
 * @typedef {object} Engine
 * @property {string} name with its version
 * @property {string} note what must be known of its times
 * @property {(numbers: Geometry, direction: string) => Promise<Work>} prepare
 *
 * @typedef {object} Work
 * @property {() => unknown} run records one computation, and gives back its memory
 * @property {() => Promise<unknown>} wait until the GPU is done
 * @property {() => void} close
 *
 * @typedef {{ n: number, h: number, w: number, c: number, k: number, r: number, stride: number, p: number, q: number }} Geometry
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
 * Runs an engine over the cases on standard input.
 *
 * @param {string} adapter
 * @param {Engine} engine
 */
export async function serve(adapter, { name, note, prepare }) {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const cases = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  for (const { shape, direction } of cases) {
    const head = { engine: name, adapter, shape, direction, note };
    let line;
    gpuError = null;
    try {
      const work = await prepare(geometryOf(shape), direction);
      line = { ...head, ...(await measure(work, SOFTWARE.test(adapter))) };
      work.close();
      if (gpuError !== null) throw new Error(gpuError);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      line = { ...head, ms: null, runs: 0, problem: text.split('\n')[0] };
    }
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
  process.stdout.write('', () => process.exit(0));
}

/**
 * @param {string} shape
 * @returns {Geometry}
 */
function geometryOf(shape) {
  const [n, h, w, c, k, r, stride] = shape.split(',').map(Number);
  return { n, h, w, c, k, r, stride, p: Math.ceil(h / stride), q: Math.ceil(w / stride) };
}

const cell = new Int32Array(new SharedArrayBuffer(4));

/**
 * While a promise of Dawn's is pending Node's event loop spins; a software adapter needs that
 * processor itself. The engine's own waits sleep likewise, so the comparison is even.
 *
 * @param {Promise<unknown>} promise
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

const SOFTWARE = /llvmpipe|swiftshader|lavapipe|software|warp|basic render/i;
const BUDGET_MS = 500;
const BATCH_MS = 20;

/**
 * As the bench times its own kernels without timestamps: warm-up, batches between waits, median.
 *
 * @param {Work} work
 * @param {boolean} isSoftware
 */
async function measure({ run, wait }, isSoftware) {
  const time = async (/** @type {number} */ count) => {
    const start = performance.now();
    for (let i = 0; i < count; i++) run();
    await (isSoftware ? patiently(wait()) : wait());
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

/**
 * Random numbers in [−1, 1): equal or zero ones would flatter some engines.
 *
 * @param {number} size
 */
export function randomValues(size) {
  let state = 1;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state * 2 ** -31 - 1;
  });
}
