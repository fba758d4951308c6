// Trains the MNIST network with TensorFlow.js on its WebGPU backend, on random images, and prints
// images per second: the counterpart of `tilegrad bench train`.
//
//   npm install --prefix bench/peers && node bench/peers/tfjs_train.mjs [batch size] [steps]

import { load, provideGpu, randomValues } from './lib.mjs';

const [batchSize, steps] = [Number(process.argv[2] ?? 64), Number(process.argv[3] ?? 5)];
const adapter = await provideGpu();
// The first of these registers the gradients.
const [, tf] = await load([
  '@tensorflow/tfjs',
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-backend-webgpu',
]);
await tf.setBackend('webgpu');
await tf.ready();

const variable = (/** @type {number[]} */ shape) => tf.variable(tf.truncatedNormal(shape, 0, 0.1));
const bias = (/** @type {number} */ size) => tf.variable(tf.fill([size], 0.1));
const weights = {
  ...{ w1: variable([5, 5, 1, 32]), b1: bias(32), w2: variable([5, 5, 32, 64]), b2: bias(64) },
  ...{ w3: variable([3136, 1024]), b3: bias(1024), w4: variable([1024, 10]), b4: bias(10) },
};

/** @param {any} x */
function model(x) {
  const first = tf.maxPool(
    tf.relu(tf.add(tf.conv2d(x, weights.w1, 1, 'same'), weights.b1)),
    2,
    2,
    'valid',
  );
  const second = tf.maxPool(
    tf.relu(tf.add(tf.conv2d(first, weights.w2, 1, 'same'), weights.b2)),
    2,
    2,
    'valid',
  );
  const flat = tf.reshape(second, [batchSize, 3136]);
  const dense = tf.relu(tf.add(tf.matMul(flat, weights.w3), weights.b3));
  return tf.add(tf.matMul(tf.dropout(dense, 0.5), weights.w4), weights.b4);
}

const labels = Int32Array.from({ length: batchSize }, (_, n) => n % 10);
const x = tf.tensor(randomValues(batchSize * 784), [batchSize, 28, 28, 1]);
const y = tf.cast(tf.oneHot(tf.tensor1d(labels, 'int32'), 10), 'float32');
const optimizer = tf.train.adam(5e-4);

async function step() {
  const loss = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, model(x)), true);
  const [value] = await loss.data();
  loss.dispose();
  return value;
}

const started = performance.now();
await step();
const firstStep = performance.now() - started;
const times = [];
for (let i = 0; i < steps; i++) {
  const before = performance.now();
  await step();
  times.push(performance.now() - before);
}
times.sort((a, b) => a - b);
const median = times[Math.floor(times.length / 2)];
process.stdout.write(
  `${JSON.stringify({
    ...{ engine: `tfjs-webgpu ${tf.version_core}`, adapter, batchSize, steps },
    ...{ firstStepMs: Math.round(firstStep), medianStepMs: Math.round(median) },
    imagesPerSecond: Number(((batchSize * 1000) / median).toFixed(1)),
  })}\n`,
);
process.exit(0);
