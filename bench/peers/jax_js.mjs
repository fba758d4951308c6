// jax-js with its WebGPU backend, in Node on Dawn. Layout NCHW, which is its own; a gradient is the
// pulled-back cotangent alone, the forward pass having been run before.

import { load, provideGpu, randomValues, serve, watchErrors } from './lib.mjs';

const VERSION = '0.1.25';
const adapter = await provideGpu();
const [jax] = await load(['@jax-js/jax']);
await jax.init('webgpu');
jax.defaultDevice('webgpu');
watchErrors(jax.getWebGPUDevice());
const { lax, numpy, vjp, blockUntilReady, jit } = jax;

await serve(adapter, {
  name: `jax-js ${VERSION}`,
  note: 'wall clock over batches of dispatches, layout NCHW',
  async prepare({ n, h, w, c, k, r, stride, p, q }, direction) {
    const random = (/** @type {number[]} */ shape) =>
      numpy.array(randomValues(shape.reduce((a, b) => a * b, 1))).reshape(shape);
    const [x, filter, dy] = [random([n, c, h, w]), random([k, c, r, r]), random([n, k, p, q])];
    const conv = (/** @type {any} */ a, /** @type {any} */ b) =>
      lax.conv(a, b, [stride, stride], 'SAME');
    /** @type {Record<string, () => () => any>} */
    const makers = {
      forward: () => {
        const compiled = jit(conv);
        return () => compiled(x.ref, filter.ref);
      },
      'grad-input': () => pullback((/** @type {any} */ t) => conv(t, filter.ref), x),
      'grad-weight': () => pullback((/** @type {any} */ t) => conv(x.ref, t), filter),
    };
    function pullback(/** @type {any} */ f, /** @type {any} */ at) {
      const [y, pull] = vjp(f, [at.ref]);
      y.dispose();
      return () => pull(dy.ref)[0];
    }
    const compute = makers[direction]();
    /** @type {any} */
    let last = null;
    return {
      run: () => {
        last?.dispose();
        last = compute();
      },
      wait: () => blockUntilReady(last),
      close: () => [last, x, filter, dy].forEach((array) => array.dispose()),
    };
  },
});
