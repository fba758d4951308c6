#!/usr/bin/env bash
# TensorFlow.js 4.22.0: the gradient of mirrorPad drops the mirrored pixels, as if the padding were constant.
# Guess: a pixel copied into the margin gets the margin's gradient as well: [1, 3, 1] for the sum of [a b c] padded to [b a b c b].
# Seen: [1, 1, 1].
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @tensorflow/tfjs@4.22.0
cat > run.mjs <<'JS'
import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs';
await tf.setBackend('cpu');
const pad = (x) => tf.mirrorPad(x, [[1, 1]], 'reflect');
const padded = [...pad(tf.tensor1d([1, 2, 3])).dataSync()];
const gradient = [...tf.grad((x) => pad(x).sum())(tf.tensor1d([1, 2, 3])).dataSync()];
console.log(`tfjs ${tf.version.tfjs}: padded ${padded}, gradient of the sum ${gradient}`);
assert.deepEqual(padded, [2, 1, 2, 3, 2]);
assert.deepEqual(gradient, [1, 1, 1]);
JS
node run.mjs
