#!/usr/bin/env bash
# TensorFlow 2.21.0, CPU: softmax of a row with one NaN gives NaN in that place and exactly 0 in the others; log_softmax and
# NumPy's formula make the whole row NaN.
# Guess: the NaN reaches the sum and so every entry of the row, as in PyTorch and JAX.
# Seen: softmax([nan, 1, 2]) = [nan, 0, 0], and a row of nine likewise; log_softmax([nan, 1, 2]) = [nan, nan, nan].
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q tensorflow-cpu==2.21.0 numpy==2.4.6
TF_CPP_MIN_LOG_LEVEL=3 "$dir/venv/bin/python" - 2> "$dir/errors.txt" <<'PY' || { tail -5 "$dir/errors.txt"; exit 1; }
import numpy as np
import tensorflow as tf

row = [[np.nan, 1.0, 2.0]]
soft, log = tf.nn.softmax(row).numpy()[0], tf.nn.log_softmax(row).numpy()[0]
long = tf.nn.softmax([[np.nan, *range(1, 9)]]).numpy()[0]
print(f'tensorflow {tf.__version__}: softmax {soft}, log_softmax {log}')
np.testing.assert_array_equal(soft, [np.nan, 0, 0])
np.testing.assert_array_equal(long, [np.nan] + [0] * 8)
assert np.isnan(log).all()
PY
