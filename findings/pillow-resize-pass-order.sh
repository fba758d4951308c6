#!/usr/bin/env bash
# Pillow 13.0.0: resize runs the horizontal pass first, except when the picture gets lower and wider: then the vertical one.
# The first pass is rounded and clipped to 8 bits, so the order shows.
# Guess: one fixed order (horizontal first), so that a resize equals resizing the width and then the height.
# Seen: noise of 40×40, bicubic: for 20×20, 80×80, 20×80 and 39×41 equal to width then height; for 80×20 and 41×39 (width × height)
#       equal to height then width, and up to 9 and 17 of 255 away from width then height.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pillow==13.0.0 numpy==2.4.6
"$dir/venv/bin/python" - <<'PY'
import numpy as np
from PIL import Image

image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8))
def resize(*sizes):
    out = image
    for size in sizes:
        out = out.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(out).astype(int)

for width, height in ((20, 20), (80, 80), (20, 80), (39, 41), (80, 20), (41, 39)):
    once = resize((width, height))
    horizontal = abs(once - resize((width, 40), (width, height))).max()
    vertical = abs(once - resize((40, height), (width, height))).max()
    print(f'{width}×{height}: {horizontal} from width then height, {vertical} from height then width')
    lower_and_wider = height < 40 < width
    assert (vertical if lower_and_wider else horizontal) == 0 and (horizontal if lower_and_wider else vertical) > 0
PY
