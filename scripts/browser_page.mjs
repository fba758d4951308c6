// Runs in the page of scripts/browser_check.mjs: the library as a browser loads it. What it computes goes into the
// document and to the server that the page came from.

import { smallTraining } from './small_training.mjs';

const url = '/tilegrad.js';
const library = /** @type {typeof import('../src/index.js')} */ (await import(url));
const { createDevice, ops } = library;
/** @typedef {import('../src/index.js').Device} Device */

/** Whole numbers −3 … 3, so that sums are exact in whatever order they are made. */
const whole = (/** @type {number} */ size, /** @type {number} */ step) =>
  Float32Array.from({ length: size }, (_, i) => ((i * step) % 7) - 3);

/** @param {import('../src/index.js').Tensor | null} tensor */
const valuesOf = async (tensor) => (tensor ? Array.from(await tensor.data()) : null);

/** @param {Device} device */
async function convolution(device) {
  const x = device.tensor(whole(2 * 9 * 7 * 5, 3), [2, 9, 7, 5], { requiresGrad: true });
  const w = device.tensor(whole(3 * 3 * 5 * 6, 5), [3, 3, 5, 6], { requiresGrad: true });
  const bias = device.tensor(whole(6, 2), [6], { requiresGrad: true });
  const y = ops.conv2d(x, w, { bias, stride: 2, padding: 'same' });
  const dy = device.tensor(whole(y.size, 4), y.shape);
  const values = await valuesOf(y);
  y.backward(dy);
  const gradients = {
    x: await valuesOf(x.grad),
    w: await valuesOf(w.grad),
    bias: await valuesOf(bias.grad),
  };
  return { y: values, gradients };
}

async function run() {
  const device = await createDevice({ seed: 1 });
  const { vendor, architecture, description, isSoftware } = device.info;
  const result = {
    adapter: { vendor, architecture, description, isSoftware },
    convolution: await convolution(device),
    losses: await smallTraining(library, device),
    memory: device.memory,
  };
  device.destroy();
  return result;
}

const body = JSON.stringify(await run().catch((error) => ({ error: String(error?.stack) })));
const { document } = /** @type {any} */ (globalThis);
document.querySelector('pre').textContent = body;
await fetch('/result', { method: 'POST', body });
