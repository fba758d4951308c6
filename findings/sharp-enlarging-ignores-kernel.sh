#!/usr/bin/env bash
# sharp 0.35.5: enlarging samples from the left edge of each pixel, not from its centre, and four of its six kernels are one.
# Guess: linear interpolation of 0 100 200 100 to 8 pixels gives 0 25 75 125 175 175 125 100, as Pillow, OpenCV and PyTorch do,
#        and lanczos3 rings more than cubic.
# Seen: linear gives 0 0 50 100 150 200 150 100 (half a pixel off, the last one never blended); cubic, mitchell, lanczos2 and
#       lanczos3 all give the same pixels. Halving the picture is centred.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund sharp@0.35.5
cat > run.mjs <<'JS'
import assert from 'node:assert/strict';
import sharp from 'sharp';
const resize = async (pixels, width, kernel) => [
  ...(await sharp(Buffer.from(pixels), { raw: { width: pixels.length, height: 1, channels: 1 } })
    .resize(width, 1, { kernel, fit: 'fill' })
    .toColourspace('b-w')
    .raw()
    .toBuffer()),
];
const up = {};
for (const kernel of ['linear', 'cubic', 'mitchell', 'lanczos2', 'lanczos3']) {
  up[kernel] = await resize([0, 100, 200, 100], 8, kernel);
  console.log(kernel.padEnd(9), up[kernel].join(' '));
}
const down = await resize([10, 10, 90, 90, 90, 90, 10, 10], 4, 'linear');
console.log('halved   ', down.join(' '));
assert.deepEqual(up.linear, [0, 0, 50, 100, 150, 200, 150, 100]);
for (const kernel of ['mitchell', 'lanczos2', 'lanczos3']) assert.deepEqual(up[kernel], up.cubic);
assert.deepEqual(down, [...down].reverse());
JS
node run.mjs
