// The same training step, plain and captured: equal losses to the last bit, and the time each takes.
// Run: npm run build && node examples/capture.mjs

import { createDevice, models, ops, optim } from 'tilegrad';
import { bars, SIZE } from './bars.mjs';

const STEPS = 100;
const BATCH = 16;

async function train(isCaptured) {
  const device = await createDevice({ seed: 1 });
  const model = models.mlp(device, { input: [SIZE, SIZE, 1], classes: 3 });
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });

  const step = (images, labels) => {
    optimizer.zeroGrad();
    const logits = model.call(images.reshape([BATCH, SIZE, SIZE, 1]));
    const loss = ops.softmaxCrossEntropy(logits, labels);
    loss.backward();
    optimizer.step();
    return loss;
  };
  const captured = device.capture(step);

  let loss;
  let start = 0;
  for (let i = 0; i < STEPS; i++) {
    const { images, labels } = bars(BATCH, i);
    loss = isCaptured
      ? captured(images, labels)
      : step(device.tensor(images), device.tensor(labels));
    if (i === 9) {
      // Pipelines compile during the first steps; the clock starts after them.
      await device.sync();
      start = performance.now();
    }
  }
  const last = await loss.item();
  const msPerStep = (performance.now() - start) / (STEPS - 10);
  device.destroy();
  return { last, msPerStep };
}

for (const isCaptured of [false, true]) {
  const { last, msPerStep } = await train(isCaptured);
  const name = isCaptured ? 'captured' : 'plain';
  console.log(`${name.padEnd(8)}  ${msPerStep.toFixed(2)} ms a step, last loss ${last}`);
}
