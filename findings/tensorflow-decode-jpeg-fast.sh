#!/usr/bin/env bash
# TensorFlow 2.21.0: tf.io.decode_jpeg uses libjpeg's fast, less exact inverse transform unless told otherwise.
# Guess: the pixels of libjpeg, equal to Pillow's, as OpenCV's and torchvision's are.
# Seen: a smooth picture of 64×64 at quality 90: mean difference 1.05, largest 3 of 255 from Pillow 13.0.0; 0 with
#       dct_method='INTEGER_ACCURATE'.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q tensorflow-cpu==2.21.0 pillow==13.0.0 numpy==2.4.6
TF_CPP_MIN_LOG_LEVEL=3 "$dir/venv/bin/python" - 2> "$dir/errors.txt" <<'PY' || { tail -5 "$dir/errors.txt"; exit 1; }
import io
import numpy as np
import tensorflow as tf
from PIL import Image

y, x = np.mgrid[:64, :64, :1][:2]
picture = (128 + 60 * np.sin(x / 5 + np.arange(3)) + 50 * np.cos(y / 7)).astype(np.uint8)
file = io.BytesIO()
Image.fromarray(picture).save(file, 'JPEG', quality=90)
pillow = np.asarray(Image.open(file)).astype(int)
def difference(**options):
    return np.abs(tf.io.decode_jpeg(file.getvalue(), **options).numpy() - pillow)

plain, exact = difference(), difference(dct_method='INTEGER_ACCURATE')
print(f'tensorflow {tf.__version__} from Pillow: mean {plain.mean():.2f}, largest {plain.max()}; INTEGER_ACCURATE {exact.max()}')
assert plain.mean() > 0.5 and plain.max() >= 2 and exact.max() == 0
PY
