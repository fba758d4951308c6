#!/usr/bin/env bash
# Keras 3.15.1 on JAX: ops.image.gaussian_blur blurs along one axis only and spreads each channel into its neighbours.
# Guess: the same picture on every backend, each channel blurred by itself.
# Seen: a single bright pixel in channel 0 of two, kernel 3×3, sigma 1: TensorFlow gives the 3×3 bell (corners 0.075, centre 0.204)
#       in channel 0 and nothing in channel 1; JAX gives one row of it in channel 0 and another row in channel 1.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q keras==3.15.1 jax==0.10.2 tensorflow-cpu==2.21.0 numpy==2.4.6
cat > "$dir/blur.py" <<'PY'
import json
import keras
import numpy as np
x = np.zeros((1, 7, 7, 2), np.float32)
x[0, 3, 3, 0] = 1
y = keras.ops.convert_to_numpy(keras.ops.image.gaussian_blur(x, (3, 3), (1.0, 1.0)))[0, 2:5, 2:5].round(3)
print(json.dumps([keras.backend.backend(), y[..., 0].astype(float).round(3).tolist(), y[..., 1].astype(float).round(3).tolist()]))
PY
export TF_CPP_MIN_LOG_LEVEL=3
KERAS_BACKEND=tensorflow "$dir/venv/bin/python" "$dir/blur.py" 2> "$dir/errors.txt" | tee "$dir/tensorflow.json" || { tail -5 "$dir/errors.txt"; exit 1; }
KERAS_BACKEND=jax "$dir/venv/bin/python" "$dir/blur.py" 2> "$dir/errors.txt" | tee "$dir/jax.json" || { tail -5 "$dir/errors.txt"; exit 1; }
"$dir/venv/bin/python" - "$dir" <<'PY'
import json
import sys
_, right, other = json.load(open(sys.argv[1] + '/tensorflow.json'))
_, first, second = json.load(open(sys.argv[1] + '/jax.json'))
bell = [[0.075, 0.124, 0.075], [0.124, 0.204, 0.124], [0.075, 0.124, 0.075]]
none = [0, 0, 0]
assert right == bell and other == [none] * 3
assert first == [none, bell[1], none] and second == [none, bell[0], none]
PY
