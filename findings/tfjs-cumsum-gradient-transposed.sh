#!/usr/bin/env bash
# TensorFlow.js 4.22.0: the gradient of cumsum along an axis other than the last comes back transposed. A square input hides
# it; any other shape throws "has shape '4,2', which does not match the shape of the input '2,4'".
# Guess: the gradient of a running sum is the reversed running sum of dy: [[4, 6], [3, 4]] for dy = [[1, 2], [3, 4]] along axis 0.
# Seen: [[4, 3], [6, 4]]. Along axis 1 it is right.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @tensorflow/tfjs@4.22.0
cat > run.mjs <<'JS'
import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs';
await tf.setBackend('cpu');
const dy = tf.tensor2d([[1, 2], [3, 4]]);
const gradient = (axis) => tf.grad((x) => tf.cumsum(x, axis).mul(dy).sum())(tf.zeros([2, 2])).arraySync();
console.log(`tfjs ${tf.version.tfjs}: axis 0 ${JSON.stringify(gradient(0))}, axis 1 ${JSON.stringify(gradient(1))}`);
assert.deepEqual(gradient(0), [[4, 3], [6, 4]]);
assert.deepEqual(gradient(1), [[3, 2], [7, 4]]);
JS
node run.mjs
