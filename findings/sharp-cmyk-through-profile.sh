#!/usr/bin/env bash
# sharp 0.35.5: asking for the CMYK values of a CMYK picture sends them through RGB and back.
# Guess: toColourspace('cmyk') of a picture that is CMYK already leaves its inks alone.
# Seen: inks 235 75 195 0 come out as 209 0 188 88, for JPEG and TIFF alike; pipelineColourspace('cmyk') before it gives
#       235 75 195 0.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q pillow==13.0.0
npm install --silent --no-audit --no-fund sharp@0.35.5
venv/bin/python -c "
from PIL import Image
picture = Image.new('CMYK', (16, 16), (235, 75, 195, 0))
picture.save('inks.jpg', quality=100, subsampling=0)
picture.save('inks.tif')"
cat > run.mjs <<'JS'
import assert from 'node:assert/strict';
import sharp from 'sharp';
const inks = async (picture) => [...(await picture.toColourspace('cmyk').raw().toBuffer())].slice(0, 4);
for (const file of ['inks.jpg', 'inks.tif']) {
  const alone = await inks(sharp(file));
  const both = await inks(sharp(file).pipelineColourspace('cmyk'));
  console.log(`${file}: toColourspace alone ${alone}, after pipelineColourspace ${both}`);
  assert.deepEqual(alone, [209, 0, 188, 88]);
  assert.deepEqual(both, [235, 75, 195, 0]);
}
JS
node run.mjs
