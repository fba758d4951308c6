#!/usr/bin/env bash
# TensorFlow.js 4.22.0, cpu backend: the gradient of resizeBilinear ignores halfPixelCenters, and wants a square image.
# Guess: the option that moves the sampling points in the forward moves them in the gradient too: 0.25 for each pixel when
#        4×4 pixels become the means of their 2×2 blocks and the output is summed.
# Seen: the forward gives the means, but the gradient is 1 at every second pixel of every second row and 0 elsewhere. For an
#       image of 2×4 it throws "has shape '1,4,2,1', which does not match the shape of the input '1,2,4,1'".
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @tensorflow/tfjs@4.22.0
cat > run.mjs <<'JS'
import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs';
await tf.setBackend('cpu');
const resize = (x) => tf.image.resizeBilinear(x, [2, 2], false, true);
const gradient = (x) => [...tf.grad((x) => resize(x).sum())(x).dataSync()];
const square = tf.range(0, 16).reshape([1, 4, 4, 1]);
console.log(`tfjs ${tf.version.tfjs}: forward ${resize(square).dataSync()}, gradient ${gradient(square)}`);
assert.deepEqual([...resize(square).dataSync()], [2.5, 4.5, 10.5, 12.5]);
assert.deepEqual(gradient(square), [1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
assert.throws(() => gradient(tf.ones([1, 2, 4, 1])), /has shape '1,4,2,1'/);
JS
node run.mjs
