// TensorFlow.js' convolutions. The gradients are its own kernels, called directly, so that no forward
// pass is counted with them.

import { serve } from './lib.mjs';
import { adapter, name, tf, wait } from './tfjs_lib.mjs';

const KERNELS = {
  forward: ['Conv2D', 'DepthwiseConv2dNative'],
  'grad-input': ['Conv2DBackpropInput', 'DepthwiseConv2dNativeBackpropInput'],
  'grad-weight': ['Conv2DBackpropFilter', 'DepthwiseConv2dNativeBackpropFilter'],
};

await serve(adapter, {
  name,
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
    const compute = () => tf.engine().runKernel(kernel, inputs, attributes);
    return {
      run: () => compute().dispose(),
      wait,
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
