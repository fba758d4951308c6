// Which pixels does a network look at? The gradient of a class's score with respect to the image tells.
// Run: npm run build && node examples/saliency.mjs

import { createDevice, nn, ops, optim } from 'tilegrad';
import { bars, CLASSES, SIZE } from './bars.mjs';

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
  const logits = model.call(device.tensor(images, [32, SIZE, SIZE, 1]));
  optimizer.zeroGrad();
  ops.softmaxCrossEntropy(logits, device.tensor(labels)).backward();
  optimizer.step();
}

const { images, labels } = bars(1, 5);
const image = device.tensor(images, [1, SIZE, SIZE, 1], { requiresGrad: true });
const label = labels[0];
model.eval();
const score = ops.slice(model.call(image), { begin: [0, label], size: [1, 1] });
score.sum().backward();

const saliency = (await image.grad.data()).map(Math.abs);
const largest = Math.max(...saliency);
console.log(`${CLASSES[label]}: the image, and what its score depends on`);
for (let row = 0; row < SIZE; row++) {
  const line = (values, most) =>
    Array.from(values.slice(row * SIZE, (row + 1) * SIZE), (value) => {
      const shade = Math.floor((Math.max(0, value) / most) * 4.999);
      return ' ░▒▓█'[Math.min(4, shade)].repeat(2);
    }).join('');
  console.log(`${line(images, 1)}  │  ${line(saliency, largest)}`);
}
device.destroy();
