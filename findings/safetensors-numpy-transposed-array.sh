#!/usr/bin/env bash
# safetensors 0.8.0: save_file of safetensors.numpy writes a transposed array in its memory order under its new shape, so it
# loads with its numbers in the wrong places. No error; safetensors.torch refuses such a tensor.
# Guess: the file holds the array that was given, or the call fails. Reordering a Keras kernel for PyTorch is the natural use.
# Seen: [[0, 3], [1, 4], [2, 5]] comes back as [[0, 1], [2, 3], [4, 5]]; np.ascontiguousarray first gives the right file.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q safetensors==0.8.0 numpy==2.4.6
cd "$dir"
venv/bin/python - <<'PY'
import numpy as np
from safetensors.numpy import load_file, save_file

array = np.arange(6, dtype=np.float32).reshape(2, 3).T
save_file({'given': array, 'contiguous': np.ascontiguousarray(array)}, 'weights.safetensors')
loaded = load_file('weights.safetensors')
print('saved ', array.tolist())
print('loaded', loaded['given'].tolist(), 'and', loaded['contiguous'].tolist())
assert loaded['given'].tolist() == [[0, 1], [2, 3], [4, 5]]
assert np.array_equal(loaded['contiguous'], array)
PY
