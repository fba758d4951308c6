// An engine for the tests of the bench: it trains the MNIST CNN by plain loops in float64. The first argument says how it
// behaves: agree, rate (its learning rate is 3 % too high), bias (its first convolution leaves the bias out), frozen (it
// does not update the filters), nothing (it gives no losses), dies.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** @typedef {Record<string, Float64Array>} Values */
/** @typedef {{ h: number, w: number, c: number, k: number }} Size */

const behaviour = process.argv[2];

for await (const line of createInterface({ input: process.stdin })) {
  if (behaviour === 'dies') {
    process.stderr.write('out of luck\n');
    process.exit(1);
  }
  const job = JSON.parse(line);
  const figures = { firstStepMs: 2000, peakBytes: 3 * 2 ** 20, memoryOf: 'sheets of paper' };
  const losses = behaviour === 'nothing' ? {} : { losses: train(job) };
  const answer = { engine: 'fake 1.0', adapter: 'paper', ms: 1e6, runs: 5, ...figures, ...losses };
  process.stdout.write(`${JSON.stringify(answer)}\n{"done":true}\n`);
}

/** @param {any} job */
function train({ batchSize, input, classes, optimizer, updates, weights, files }) {
  const bytes = (/** @type {string} */ path) => new Uint8Array(readFileSync(path)).buffer;
  const all = new Float32Array(bytes(files.weights));
  /** @type {Values} */
  const p = {};
  for (const { name, shape, offset } of weights) {
    const size = shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1);
    p[name] = Float64Array.from(all.subarray(offset, offset + size));
  }
  const images = Float64Array.from(new Float32Array(bytes(files.images)));
  const labels = new Int32Array(bytes(files.labels));
  const update = adam(p, optimizer);
  const losses = [];
  for (let i = 0; i <= updates; i++) {
    const { loss, gradients } = step(p, { images, labels, n: batchSize, input, classes });
    losses.push(loss);
    update(gradients);
  }
  return losses;
}

/**
 * @param {Values} p
 * @param {any} batch
 */
function step(p, { images, labels, n, input: [h, w, c], classes }) {
  const sizes = [
    { h, w, c, k: 32 },
    { h: h >> 1, w: w >> 1, c: 32, k: 64 },
  ];
  const names = ['0', '2'];
  const inputs = [images];
  const activations = sizes.map((size, i) => {
    const bias = behaviour === 'bias' && i === 0 ? new Float64Array(32) : p[`${names[i]}.bias`];
    const y = convolve(inputs[i], p[`${names[i]}.weight`], bias, n, size).map(relu);
    inputs.push(pool(y, n, size));
    return y;
  });
  const inner = inputs[2].length / n;
  const hidden = dense(inputs[2], p['5.weight'], p['5.bias'], n).map(relu);
  const logits = dense(hidden, p['7.weight'], p['7.bias'], n);
  const { loss, dLogits } = crossEntropy(logits, labels, n, classes);
  const last = denseGradients(hidden, p['7.weight'], dLogits, n);
  const dHidden = last.dx.map((v, i) => (hidden[i] > 0 ? v : 0));
  const first = denseGradients(inputs[2], p['5.weight'], dHidden, n);
  /** @type {Values} */
  const gradients = {
    ...{ '7.weight': last.dw, '7.bias': last.db },
    ...{ '5.weight': first.dw, '5.bias': first.db },
  };
  if (first.dx.length !== n * inner) throw new Error('sizes');
  let dPooled = first.dx;
  for (const i of [1, 0]) {
    const dy = unpool(activations[i], dPooled, n, sizes[i]);
    const { dx, dw, db } = convolveGradients(inputs[i], p[`${names[i]}.weight`], dy, n, sizes[i]);
    gradients[`${names[i]}.weight`] = dw;
    gradients[`${names[i]}.bias`] = db;
    dPooled = dx;
  }
  return { loss, gradients };
}

/** @param {number} v */
function relu(v) {
  return Math.max(0, v);
}

/**
 * Calls `visit` with the places of x, w and y of every product of a 5×5 'same' convolution.
 *
 * @param {number} n
 * @param {Size} size
 * @param {(x: number, w: number, y: number) => void} visit
 */
function products(n, { h, w, c, k }, visit) {
  for (let pixel = 0; pixel < n * h * w; pixel++) {
    const [image, p, q] = [Math.floor(pixel / (h * w)), Math.floor(pixel / w) % h, pixel % w];
    for (let tap = 0; tap < 25; tap++) {
      const [i, j] = [p + Math.floor(tap / 5) - 2, q + (tap % 5) - 2];
      if (i < 0 || i >= h || j < 0 || j >= w) continue;
      for (let ic = 0; ic < c; ic++) {
        const x = ((image * h + i) * w + j) * c + ic;
        for (let ik = 0; ik < k; ik++) visit(x, (tap * c + ic) * k + ik, pixel * k + ik);
      }
    }
  }
}

/** @type {(x: Float64Array, filter: Float64Array, bias: Float64Array, n: number, size: Size) => Float64Array} */
function convolve(x, filter, bias, n, size) {
  const y = Float64Array.from({ length: n * size.h * size.w * size.k }, (_, i) => bias[i % size.k]);
  products(n, size, (ix, iw, iy) => (y[iy] += x[ix] * filter[iw]));
  return y;
}

/** @type {(x: Float64Array, filter: Float64Array, dy: Float64Array, n: number, size: Size) => Values} */
function convolveGradients(x, filter, dy, n, size) {
  const [dx, dw] = [new Float64Array(x.length), new Float64Array(filter.length)];
  const db = new Float64Array(size.k);
  products(n, size, (ix, iw, iy) => {
    dx[ix] += dy[iy] * filter[iw];
    dw[iw] += dy[iy] * x[ix];
  });
  dy.forEach((v, i) => (db[i % size.k] += v));
  return { dx, dw, db };
}

/**
 * The place of the largest value of each 2×2 window, the first where several are.
 *
 * @type {(y: Float64Array, n: number, size: Size) => number[]}
 */
function largest(y, n, { h, w, k }) {
  const places = [];
  for (let image = 0; image < n; image++) {
    for (let p = 0; p < h >> 1; p++) {
      for (let q = 0; q < w >> 1; q++) {
        for (let ik = 0; ik < k; ik++) {
          const at = [0, 1, 2, 3].map(
            (i) => ((image * h + 2 * p + (i >> 1)) * w + 2 * q + (i & 1)) * k + ik,
          );
          places.push(at.reduce((best, i) => (y[i] > y[best] ? i : best)));
        }
      }
    }
  }
  return places;
}

/** @type {(y: Float64Array, n: number, size: Size) => Float64Array} */
function pool(y, n, size) {
  return Float64Array.from(largest(y, n, size), (i) => y[i]);
}

/**
 * The gradient of pooling and of the ReLU before it.
 *
 * @type {(y: Float64Array, dPooled: Float64Array, n: number, size: Size) => Float64Array}
 */
function unpool(y, dPooled, n, size) {
  const dy = new Float64Array(y.length);
  largest(y, n, size).forEach((at, i) => (dy[at] = y[at] > 0 ? dPooled[i] : 0));
  return dy;
}

/** @type {(x: Float64Array, w: Float64Array, b: Float64Array, n: number) => Float64Array} */
function dense(x, w, b, n) {
  const [inner, outer] = [x.length / n, b.length];
  const y = Float64Array.from({ length: n * outer }, (_, i) => b[i % outer]);
  for (let row = 0; row < n; row++) {
    for (let i = 0; i < inner; i++) {
      for (let j = 0; j < outer; j++) y[row * outer + j] += x[row * inner + i] * w[i * outer + j];
    }
  }
  return y;
}

/** @type {(x: Float64Array, w: Float64Array, dy: Float64Array, n: number) => Values} */
function denseGradients(x, w, dy, n) {
  const [inner, outer] = [x.length / n, dy.length / n];
  const [dx, dw] = [new Float64Array(x.length), new Float64Array(w.length)];
  const db = new Float64Array(outer);
  for (let row = 0; row < n; row++) {
    for (let j = 0; j < outer; j++) db[j] += dy[row * outer + j];
    for (let i = 0; i < inner; i++) {
      for (let j = 0; j < outer; j++) {
        dx[row * inner + i] += dy[row * outer + j] * w[i * outer + j];
        dw[i * outer + j] += dy[row * outer + j] * x[row * inner + i];
      }
    }
  }
  return { dx, dw, db };
}

/**
 * The mean loss and its gradient.
 *
 * @param {Float64Array} logits
 * @param {Int32Array} labels
 * @param {number} n
 * @param {number} classes
 */
function crossEntropy(logits, labels, n, classes) {
  const dLogits = new Float64Array(logits.length);
  let loss = 0;
  for (let row = 0; row < n; row++) {
    const own = logits.subarray(row * classes, (row + 1) * classes);
    const most = Math.max(...own);
    const sum = own.reduce((total, v) => total + Math.exp(v - most), 0);
    loss += (Math.log(sum) + most - own[labels[row]]) / n;
    own.forEach((v, j) => {
      dLogits[row * classes + j] = (Math.exp(v - most) / sum - Number(j === labels[row])) / n;
    });
  }
  return { loss, dLogits };
}

/**
 * @param {Values} p
 * @param {{ lr: number, beta1: number, beta2: number, epsilon: number }} rule
 */
function adam(p, { lr: given, beta1, beta2, epsilon }) {
  const lr = behaviour === 'rate' ? 1.03 * given : given;
  const zeros = () =>
    Object.fromEntries(Object.entries(p).map(([name, v]) => [name, new Float64Array(v.length)]));
  const [means, squares] = [zeros(), zeros()];
  let t = 0;
  return (/** @type {Values} */ gradients) => {
    t++;
    for (const [name, values] of Object.entries(p)) {
      if (behaviour === 'frozen' && name === '2.weight') continue;
      const [m, v, g] = [means[name], squares[name], gradients[name]];
      for (let i = 0; i < values.length; i++) {
        m[i] = beta1 * m[i] + (1 - beta1) * g[i];
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] ** 2;
        const root = Math.sqrt(v[i] / (1 - beta2 ** t)) + epsilon;
        values[i] -= (lr * (m[i] / (1 - beta1 ** t))) / root;
      }
    }
  };
}
