// Training in TensorFlow.js: the losses of the first steps of a network, the time of the very first, the time of the steps
// that follow, and memory. Jobs and answers: TrainingJob and PeerLine in src/bench.

import { readFileSync } from 'node:fs';
import { answerJobs, floatsOf, waitFor } from './lib.mjs';
import { Network, networks } from './tfjs_networks.mjs';
import { adapter, name, tf, wait } from './tfjs_lib.mjs';

/**
 * @typedef {object} Job
 * @property {string} model
 * @property {number} batchSize
 * @property {number[]} input height, width, channels
 * @property {number} classes
 * @property {{ name: string, lr: number, beta1: number, beta2: number, epsilon: number, momentum: number }} optimizer
 * @property {number} updates
 * @property {{ name: string, shape: number[], offset: number }[]} weights
 * @property {{ weights: string, images: string, labels: string }} files
 */

const BUDGET_MS = 4000;
const PARTS = 3;
/** A step that takes longer is timed once. */
const LONG_MS = 20_000;

/** The most bytes of buffers that were in use at once. */
let peakBytes = 0;
const { bufferManager } = tf.backend();
const acquire = bufferManager.acquireBuffer;
bufferManager.acquireBuffer = (/** @type {any[]} */ ...options) => {
  const buffer = acquire.apply(bufferManager, options);
  peakBytes = Math.max(peakBytes, bufferManager.numBytesUsed);
  return buffer;
};

const note = 'wall clock of steps that follow each other';
await answerJobs({ engine: name, adapter, note }, async (/** @type {Job} */ job) => {
  const { network, step, dispose } = programOf(job);
  await waitFor(adapter, wait());
  peakBytes = bufferManager.numBytesUsed;
  const start = performance.now();
  const losses = [await valueOf(step())];
  const firstStepMs = performance.now() - start;
  if (network.unused.size > 0) {
    throw new Error(`parameters without a place: ${[...network.unused].join(', ')}`);
  }
  while (losses.length <= job.updates) losses.push(await valueOf(step()));
  const { ms, runs } = await measure(() => step().dispose());
  dispose();
  return { ms, runs, losses, firstStepMs, peakBytes, memoryOf: 'buffers in use' };
});

/**
 * A function that trains a step and gives its loss, with what it works on.
 *
 * @param {Job} job
 */
function programOf({ model, batchSize, input, classes, optimizer: rule, weights, files }) {
  const values = floatsOf(files.weights);
  const parameters = new Map(
    weights.map(({ name: parameter, shape, offset }) => {
      const size = shape.reduce((product, length) => product * length, 1);
      return [parameter, tf.variable(tf.tensor(values.slice(offset, offset + size), shape))];
    }),
  );
  const network = new Network(parameters);
  const images = tf.tensor(floatsOf(files.images), [batchSize, ...input]);
  const bytes = readFileSync(files.labels);
  const labels = new Int32Array(new Uint8Array(bytes).buffer);
  const targets = tf.tidy(() =>
    tf.cast(tf.oneHot(tf.tensor1d(labels, 'int32'), classes), 'float32'),
  );
  const optimizer = optimizerOf(rule);
  const forward = networks[model];
  const step = () =>
    optimizer.minimize(
      () => tf.losses.softmaxCrossEntropy(targets, forward(network, images)),
      true,
      [...parameters.values()],
    );
  const dispose = () => {
    network.dispose();
    optimizer.dispose();
    tf.dispose([images, targets]);
  };
  return { network, step, dispose };
}

/** @param {Job['optimizer']} rule */
function optimizerOf({ name: rule, lr, beta1, beta2, epsilon, momentum }) {
  if (rule === 'adam') return tf.train.adam(lr, beta1, beta2, epsilon);
  if (rule === 'sgd') return tf.train.momentum(lr, momentum);
  throw new Error(`no optimizer named ${rule}; there are adam, sgd`);
}

/** @param {any} loss */
async function valueOf(loss) {
  const [value] = await waitFor(adapter, loss.data());
  loss.dispose();
  return value;
}

/**
 * Milliseconds a step when steps follow each other without a pause: the median of three parts.
 *
 * @param {() => void} step
 */
async function measure(step) {
  const run = async (/** @type {number} */ count) => {
    const start = performance.now();
    for (let i = 0; i < count; i++) step();
    await waitFor(adapter, wait());
    return (performance.now() - start) / count;
  };
  const once = await run(1);
  if (once > LONG_MS) return { ms: once, runs: 1 };
  const count = Math.max(1, Math.min(100, Math.floor(BUDGET_MS / PARTS / once)));
  const parts = [];
  while (parts.length < PARTS) parts.push(await run(count));
  parts.sort((a, b) => a - b);
  return { ms: parts[(PARTS - 1) / 2], runs: PARTS * count };
}
