// A small CNN that every runtime trains alike: the checks compare its losses with those in Node.

/** @typedef {Pick<typeof import('../src/index.js'), 'nn' | 'ops' | 'optim'>} Library */
/** @typedef {import('../src/index.js').Device} Device */

/**
 * A network with a convolution, batch norm, pooling and dropout learns two kinds of stripes, by a captured step.
 *
 * @param {Library} library
 * @param {Device} device
 * @returns {Promise<number[]>} the loss of each step
 */
export async function smallTraining({ nn, ops, optim }, device) {
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

/**
 * Adapters and compilers round differently: llvmpipe, SwiftShader and naga's code agree within 2 in a
 * million over these steps. The bound leaves room for training to make such differences grow.
 *
 * @param {number[]} losses
 * @param {number[]} expected of another adapter
 * @returns {string | null} what is wrong
 */
export function differenceOf(losses, expected) {
  if (losses.length !== expected.length)
    return `${losses.length} losses instead of ${expected.length}`;
  const at = losses.findIndex((loss, i) => !(Math.abs(loss - expected[i]) <= 1e-4 * expected[i]));
  return at < 0 ? null : `loss of step ${at} is ${losses[at]}, in Node ${expected[at]}`;
}
