// A convolutional network and a training loop by hand: forward, loss, backward, step. Then the test accuracy.
// Run: npm run build && node examples/train.mjs

import { createDevice, nn, noGrad, ops, optim } from 'tilegrad';
import { bars, SIZE } from './bars.mjs';

const device = await createDevice({ seed: 1 });
const model = new nn.Sequential(
  new nn.Conv2d(device, { inChannels: 1, outChannels: 8, kernelSize: 3, activation: 'relu' }),
  new nn.MaxPool2d({ size: 2 }),
  new nn.Flatten(),
  new nn.Dense(device, { inFeatures: 5 * 5 * 8, outFeatures: 3 }),
);
const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });

for (let step = 1; step <= 60; step++) {
  const { images, labels } = bars(32, step);
  const x = device.tensor(images, [32, SIZE, SIZE, 1]);

  const logits = model.call(x);
  const loss = ops.softmaxCrossEntropy(logits, device.tensor(labels));
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();

  // Reading waits for the GPU: now and then is enough.
  if (step % 20 === 0) console.log(`step ${step}  loss ${(await loss.item()).toFixed(3)}`);
}

const test = bars(200, 12345);
model.eval();
const predicted = await noGrad(() => {
  const logits = model.call(device.tensor(test.images, [200, SIZE, SIZE, 1]));
  return ops.argmax(logits, { axis: 1 }).data();
});
const correct = predicted.filter((label, n) => label === test.labels[n]).length;
console.log(`test  ${correct} of 200 correct`);
device.destroy();
