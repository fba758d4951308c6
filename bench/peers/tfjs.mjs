// TensorFlow.js with its WebGPU backend, in Node on Dawn. The gradients are its own kernels, called
// directly, so that no forward pass is counted with them.

import { load, provideGpu, serve, watchErrors } from './lib.mjs';

const adapter = await provideGpu();
const [tf, webgpu] = await load(['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-webgpu']);
await tf.setBackend('webgpu');
await tf.ready();
watchErrors(tf.backend().device);

const KERNELS = {
  forward: ['Conv2D', 'DepthwiseConv2dNative'],
  'grad-input': ['Conv2DBackpropInput', 'DepthwiseConv2dNativeBackpropInput'],
  'grad-weight': ['Conv2DBackpropFilter', 'DepthwiseConv2dNativeBackpropFilter'],
};

await serve(adapter, {
  name: `tfjs-webgpu ${webgpu.version_webgpu ?? tf.version_core}`,
  note: 'wall clock over batches of dispatches',
  async prepare({ n, h, w, c, k, r, stride, p, q, padding, isDepthwise, direction }, operands) {
    const inputShape = [n, h, w, c];
    const filterShape = [r, r, c, isDepthwise ? k / c : k];
    const x = tf.tensor(operands.x, inputShape);
    const filter = tf.tensor(operands.filter, filterShape);
    const dy = tf.tensor(operands.dy, [n, p, q, k]);
    const inputs = {
      forward: { x, filter },
      'grad-input': { dy, filter },
      'grad-weight': { x, dy },
    }[direction];
    const window = { strides: [stride, stride], pad: padding, dataFormat: 'NHWC' };
    const attributes = { ...window, dilations: [1, 1], inputShape, filterShape };
    const kernel = KERNELS[direction][isDepthwise ? 1 : 0];
    const backend = tf.backend();
    const compute = () => tf.engine().runKernel(kernel, inputs, attributes);
    return {
      run: () => compute().dispose(),
      wait: () => {
        if (backend.commandEncoder) {
          backend.endComputePassEncoder();
          backend.submitQueue();
        }
        return backend.queue.onSubmittedWorkDone();
      },
      async result() {
        const tensor = compute();
        const values = await tensor.data();
        tensor.dispose();
        return values;
      },
      close: () => tf.dispose([x, filter, dy]),
    };
  },
});
