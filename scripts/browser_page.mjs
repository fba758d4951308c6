// Runs in the page of scripts/browser_check.mjs: the library as a browser loads it. What it computes goes into the
// document and to the server that the page came from.

const url = '/tilegrad.js';
const { createDevice, nn, ops, optim } = /** @type {typeof import('../src/index.js')} */ (
  await import(url)
);
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

/**
 * A network with a convolution, batch norm, pooling and dropout learns two kinds of stripes, by a captured step.
 *
 * @param {Device} device
 */
async function training(device) {
  const model = new nn.Sequential(
    new nn.Conv2d(device, { inChannels: 1, outChannels: 8, kernelSize: 3, padding: 'same' }),
    new nn.BatchNorm2d(device, { channels: 8, activation: 'relu' }),
    new nn.MaxPool2d({ size: 2 }),
    new nn.Flatten(),
    new nn.Dropout({ rate: 0.1 }),
    new nn.Dense(device, { inFeatures: 128, outFeatures: 2 }),
  );
  const labels = Int32Array.from({ length: 16 }, (_, n) => n % 2);
  const images = Float32Array.from({ length: 16 * 64 }, (_, i) => {
    const [n, h, w] = [i >> 6, (i >> 3) & 7, i & 7];
    return ((n % 2 ? h : w) + (n >> 1)) & 1;
  });
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  const step = device.capture((x, y) => {
    optimizer.zeroGrad();
    const loss = ops.softmaxCrossEntropy(model.call(x), y);
    loss.backward();
    optimizer.step();
    return loss;
  });
  const x = device.tensor(images, [16, 8, 8, 1]);
  const losses = [];
  for (let i = 0; i < 20; i++) losses.push(await step(x, labels).item());
  return losses;
}

async function run() {
  const device = await createDevice({ seed: 1 });
  const { vendor, architecture, description, isSoftware } = device.info;
  const result = {
    adapter: { vendor, architecture, description, isSoftware },
    convolution: await convolution(device),
    losses: await training(device),
    memory: device.memory,
  };
  device.destroy();
  return result;
}

const body = JSON.stringify(await run().catch((error) => ({ error: String(error?.stack) })));
const { document } = /** @type {any} */ (globalThis);
document.querySelector('pre').textContent = body;
await fetch('/result', { method: 'POST', body });
