#!/usr/bin/env bash
# sharp 0.35.5: grayscale() weighs red, green and blue in linear light and applies the gamma curve afterwards.
# Guess: the usual luma 0.299 R + 0.587 G + 0.114 B of the stored values, as Pillow, OpenCV and torchvision do: 76, 150, 29.
# Seen: pure red becomes 127, green 220, blue 76. Greys stay as they are, so a test on a grey picture sees nothing.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund sharp@0.35.5
cat > run.mjs <<'JS'
import assert from 'node:assert/strict';
import sharp from 'sharp';
const rgb = Buffer.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 100, 100, 100]);
const grey = [...(await sharp(rgb, { raw: { width: 4, height: 1, channels: 3 } }).grayscale().raw().toBuffer())];
console.log(`sharp ${sharp.versions.sharp}: red, green, blue and grey 100 become ${grey.join(', ')}`);
assert.deepEqual(grey, [127, 220, 76, 100]);
JS
node run.mjs
