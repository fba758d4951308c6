// The networks of `tilegrad bench train --against tfjs`, written for TensorFlow.js by hand. They take parameters by the
// names of tilegrad's state dict, in its layouts, which are those of TensorFlow.js: NHWC, HWIO and [in, out].

import { tf } from './tfjs_lib.mjs';

/** The running statistics keep 0.99 of their value, as in Keras. */
const [MOMENTUM, EPSILON] = [0.01, 1e-3];

/** Layers by name, with the parameters that they take and the statistics that they keep. */
export class Network {
  /** @param {Map<string, any>} parameters */
  constructor(parameters) {
    this.parameters = parameters;
    this.unused = new Set(parameters.keys());
    /** @type {Map<string, { mean: any, variance: any }>} */
    this.statistics = new Map();
  }

  /** @param {string} name */
  take(name) {
    const parameter = this.parameters.get(name);
    if (!parameter) throw new Error(`there is no parameter ${name}`);
    this.unused.delete(name);
    return parameter;
  }

  /**
   * @param {any} x
   * @param {string} name
   * @param {{ stride?: number, padding?: number }} [options]
   */
  convolution(x, name, { stride = 1, padding = 0 } = {}) {
    const y = tf.conv2d(x, this.take(`${name}.weight`), stride, padding);
    return tf.add(y, this.take(`${name}.bias`));
  }

  /**
   * @param {any} x
   * @param {string} name
   */
  dense(x, name) {
    return tf.add(tf.matMul(x, this.take(`${name}.weight`)), this.take(`${name}.bias`));
  }

  /**
   * Batch norm by the statistics of the batch, which also enter the running ones.
   *
   * @param {any} x
   * @param {string} name
   */
  norm(x, name) {
    const [gamma, beta] = [this.take(`${name}.gamma`), this.take(`${name}.beta`)];
    const axes = x.shape.slice(1).map((/** @type {number} */ _, /** @type {number} */ i) => i);
    const { mean, variance } = tf.moments(x, axes);
    const running = this.statisticsOf(name, gamma.shape);
    const keep = (/** @type {any} */ variable, /** @type {any} */ value) =>
      variable.assign(tf.add(tf.mul(variable, 1 - MOMENTUM), tf.mul(value, MOMENTUM)));
    keep(running.mean, mean);
    keep(running.variance, variance);
    return tf.batchNorm(x, mean, variance, beta, gamma, EPSILON);
  }

  /**
   * @param {string} name
   * @param {number[]} shape
   */
  statisticsOf(name, shape) {
    const known = this.statistics.get(name);
    if (known) return known;
    const made = {
      mean: tf.variable(tf.zeros(shape), false),
      variance: tf.variable(tf.ones(shape), false),
    };
    this.statistics.set(name, made);
    return made;
  }

  dispose() {
    for (const parameter of this.parameters.values()) parameter.dispose();
    for (const pair of this.statistics.values()) tf.dispose(pair);
  }
}

/** @param {any} x */
const flat = (x) => tf.reshape(x, [x.shape[0], -1]);
/** @param {any} x */
const halved = (x) => tf.maxPool(x, 2, 2, 'valid');

/**
 * @param {Network} network
 * @param {any} x
 */
function mnistCnn(network, x) {
  const first = halved(tf.relu(network.convolution(x, '0', { padding: 2 })));
  const second = halved(tf.relu(network.convolution(first, '2', { padding: 2 })));
  return network.dense(tf.relu(network.dense(flat(second), '5')), '7');
}

/**
 * @param {Network} network
 * @param {any} x
 * @param {string} name
 * @param {number} stride
 */
function bottleneck(network, x, name, stride) {
  const convolved = (
    /** @type {any} */ value,
    /** @type {number} */ i,
    /** @type {object} */ how,
  ) => network.norm(network.convolution(value, `${name}.conv${i}`, how), `${name}.bn${i}`);
  const narrow = tf.relu(convolved(x, 1, { stride }));
  const inner = convolved(tf.relu(convolved(narrow, 2, { padding: 1 })), 3, {});
  if (!network.parameters.has(`${name}.downsample.0.weight`)) return tf.relu(tf.add(inner, x));
  const projected = network.convolution(x, `${name}.downsample.0`, { stride });
  return tf.relu(tf.add(inner, network.norm(projected, `${name}.downsample.1`)));
}

/**
 * @param {Network} network
 * @param {any} images
 */
function resnet101V1(network, images) {
  const stem = network.norm(network.convolution(images, 'conv1', { stride: 2, padding: 3 }), 'bn1');
  let x = tf.maxPool(tf.relu(stem), 3, 2, 'valid');
  for (const [stage, blocks] of [3, 4, 23, 3].entries()) {
    for (let block = 0; block < blocks; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      x = bottleneck(network, x, `layer${stage + 1}.${block}`, stride);
    }
  }
  return network.dense(flat(tf.avgPool(x, 2, 2, 'valid')), 'fc');
}

/**
 * @param {Network} network
 * @param {any} images
 */
function cifarVgg(network, images) {
  let x = images;
  // A layer's name is its place; dropout and pooling have places too.
  let place = 0;
  for (const convolutions of [2, 2, 3, 3, 3]) {
    for (let i = 0; i < convolutions; i++) {
      x = tf.relu(network.convolution(x, `${place}`, { padding: 1 }));
      x = network.norm(x, `${place + 1}`);
      place += 3;
    }
    x = halved(x);
  }
  const dense = network.norm(tf.relu(network.dense(flat(x), `${place + 2}`)), `${place + 3}`);
  return network.dense(dense, `${place + 5}`);
}

/** @type {Record<string, (network: Network, images: any) => any>} */
export const networks = {
  'mnist-cnn': mnistCnn,
  'resnet101-v1': resnet101V1,
  'cifar-vgg': cifarVgg,
};
