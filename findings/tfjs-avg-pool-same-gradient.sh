#!/usr/bin/env bash
# TensorFlow.js 4.22.0, cpu backend: avgPool with padding 'same' divides by the pixels inside the image, its gradient by the
# whole window, so gradients at the border are too small.
# Guess: tf.grad is the derivative of what tf.avgPool computes: [0.25, 0.75, 0.75, 2.25] for the sum over a 2×2 window.
# Seen: the forward of ones is [1, 1, 1, 1], the gradient [0.25, 0.5, 0.5, 1]. Stepping one corner by 1 changes the sum by 2.25.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @tensorflow/tfjs@4.22.0
cat > run.mjs <<'JS'
import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs';
await tf.setBackend('cpu');
const image = (v) => tf.tensor(v, [1, 2, 2, 1]);
const pool = (x) => tf.avgPool(x, 2, 1, 'same');
const total = (v) => pool(image(v)).sum().dataSync()[0];
const forward = [...pool(image([1, 1, 1, 1])).dataSync()];
const gradient = [...tf.grad((x) => pool(x).sum())(image([1, 1, 1, 1])).dataSync()];
const step = total([1, 1, 1, 2]) - total([1, 1, 1, 1]);
console.log(`tfjs ${tf.version.tfjs}: forward ${forward}, gradient ${gradient}, sum changes by ${step} at the last pixel`);
assert.deepEqual(forward, [1, 1, 1, 1]);
assert.deepEqual(gradient, [0.25, 0.5, 0.5, 1]);
assert.equal(step, 2.25);
JS
node run.mjs
