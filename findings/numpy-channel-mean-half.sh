#!/usr/bin/env bash
# NumPy 2.4.6: the channel means of a float32 array of many pixels stop growing. Only the sum along the fastest axis is added
# in pairs; the sum over all the others is one running float32 per channel, which stands still from 2^24 on.
# Guess: mean over 2^25 pixels of 0.9 is 0.9, to five digits or so, and the deviation of a constant 0.
# Seen: pixels × 3 channels, mean over axis 0: 0.5, deviation 0.35; channels first: 0.9; with dtype=np.float64: 0.9.
#       2^25 pixels are 669 pictures of 224×224.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q numpy==2.4.6
"$dir/venv/bin/python" - <<'PY'
import numpy as np

pixels = np.full((2**25, 3), 0.9, np.float32)
last = pixels.mean(axis=0)[0]
deviation = pixels.std(axis=0)[0]
wide = pixels.mean(axis=0, dtype=np.float64)[0]
first = np.ascontiguousarray(pixels.T).mean(axis=1)[0]
print(f'numpy {np.__version__}: channels last {last:.4f} (deviation {deviation:.4f}), channels first {first:.4f}, in float64 {wide:.4f}')
assert last == 0.5 and abs(deviation - 0.3536) < 1e-3 and abs(first - 0.9) < 1e-4 and abs(wide - 0.9) < 1e-4
PY
