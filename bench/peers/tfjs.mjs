// TensorFlow.js with its WebGPU backend, in Node on Dawn. The gradients are its own kernels, called
// directly, so that no forward pass is counted with them.

import { load, provideGpu, randomValues, serve, watchErrors } from './lib.mjs';

const adapter = await provideGpu();
const [tf, webgpu] = await load(['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-webgpu']);
await tf.setBackend('webgpu');
await tf.ready();
watchErrors(tf.backend().device);

/** @type {Record<string, string>} */
const KERNELS = {
  forward: 'Conv2D',
  'grad-input': 'Conv2DBackpropInput',
  'grad-weight': 'Conv2DBackpropFilter',
};

await serve(adapter, {
  name: `tfjs-webgpu ${webgpu.version_webgpu ?? tf.version_core}`,
  note: 'wall clock over batches of dispatches',
  async prepare({ n, h, w, c, k, r, stride, p, q }, direction) {
    const random = (/** @type {number[]} */ shape) =>
      tf.tensor(randomValues(shape.reduce((a, b) => a * b, 1)), shape);
    const [inputShape, filterShape] = [
      [n, h, w, c],
      [r, r, c, k],
    ];
    const [x, filter, dy] = [random(inputShape), random(filterShape), random([n, p, q, k])];
    const inputs = {
      forward: { x, filter },
      'grad-input': { dy, filter },
      'grad-weight': { x, dy },
    }[direction];
    const window = { strides: [stride, stride], pad: 'same', dataFormat: 'NHWC' };
    const attributes = { ...window, dilations: [1, 1], inputShape, filterShape };
    const backend = tf.backend();
    return {
      run: () => tf.engine().runKernel(KERNELS[direction], inputs, attributes).dispose(),
      wait: () => {
        if (backend.commandEncoder) {
          backend.endComputePassEncoder();
          backend.submitQueue();
        }
        return backend.queue.onSubmittedWorkDone();
      },
      close: () => tf.dispose([x, filter, dy]),
    };
  },
});
