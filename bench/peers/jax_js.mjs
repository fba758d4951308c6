// jax-js with its WebGPU backend, in Node on Dawn. Layout NCHW, which is its own; a gradient is the
// pulled-back cotangent alone, the forward pass having been run before.

import { load, provideGpu, serve, watchErrors } from './lib.mjs';

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
  async prepare({ n, h, w, c, k, r, stride, p, q, padding, isDepthwise, direction }, operands) {
    const channels = isDepthwise ? 1 : c;
    // A depthwise filter [R S C M] lies in memory as [R S 1 C·M] would.
    const x = numpy.array(toChannelsFirst(operands.x, n, h * w, c)).reshape([n, c, h, w]);
    const filter = numpy
      .array(transposed(operands.filter, r * r * channels, k))
      .reshape([k, r, r, channels])
      .transpose([0, 3, 1, 2]);
    const dy = numpy.array(toChannelsFirst(operands.dy, n, p * q, k)).reshape([n, k, p, q]);
    const pair = [padding, padding];
    const pads = typeof padding === 'number' ? [pair, pair] : padding.toUpperCase();
    const conv = (/** @type {any} */ a, /** @type {any} */ b) =>
      lax.convGeneralDilated(a, b, [stride, stride], pads, {
        featureGroupCount: isDepthwise ? c : 1,
      });
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
      async result() {
        const values = await compute().data();
        if (direction === 'forward') return toChannelsLast(values, n, p * q, k);
        if (direction === 'grad-input') return toChannelsLast(values, n, h * w, c);
        // [K, C R S] to [C, R S, K], and then to [R S, C, K].
        return swapOuter(transposed(values, k, channels * r * r), channels, r * r, k);
      },
      close: () => [last, x, filter, dy].forEach((array) => array.dispose()),
    };
  },
});

/**
 * [rows, columns] to [columns, rows].
 *
 * @param {Float32Array} values
 * @param {number} rows
 * @param {number} columns
 */
function transposed(values, rows, columns) {
  const result = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j];
  }
  return result;
}

/**
 * [a, b, inner] to [b, a, inner].
 *
 * @param {Float32Array} values
 * @param {number} a
 * @param {number} b
 * @param {number} inner
 */
function swapOuter(values, a, b, inner) {
  const result = new Float32Array(values.length);
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) {
      const from = (i * b + j) * inner;
      result.set(values.subarray(from, from + inner), (j * a + i) * inner);
    }
  }
  return result;
}

/**
 * N images of [pixels, channels] to [channels, pixels].
 *
 * @param {Float32Array} values
 * @param {number} n
 * @param {number} pixels
 * @param {number} channels
 */
function toChannelsFirst(values, n, pixels, channels) {
  const size = pixels * channels;
  const result = new Float32Array(values.length);
  for (let i = 0; i < n; i++) {
    const image = values.subarray(i * size, (i + 1) * size);
    result.set(transposed(image, pixels, channels), i * size);
  }
  return result;
}

/**
 * N images of [channels, pixels] to [pixels, channels].
 *
 * @param {Float32Array} values
 * @param {number} n
 * @param {number} pixels
 * @param {number} channels
 */
function toChannelsLast(values, n, pixels, channels) {
  return toChannelsFirst(values, n, channels, pixels);
}
