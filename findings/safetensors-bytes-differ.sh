#!/usr/bin/env bash
# safetensors 0.8.0: saving the same tensors with the same metadata twice gives two different files.
# Guess: equal bytes, since the format orders the tensors and has no time stamp; people compare checkpoints by their hash.
# Seen: 8 saves with six metadata entries give at least two (mostly 8) different hashes; the tensors' part is always the same. Without
#       metadata there is one hash. The entries are written in the order of a randomly seeded hash map.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q safetensors==0.8.0 numpy==2.4.6
"$dir/venv/bin/python" - <<'PY'
import hashlib
import numpy as np
from safetensors.numpy import save

tensors = {f'layer{i}': np.full(4, i, np.float32) for i in range(6)}
notes = {key: key for key in 'abcdef'}
def hashes(metadata):
    return len({hashlib.sha256(save(tensors, metadata=metadata)).hexdigest() for _ in range(8)})
tails = {save(tensors, metadata=notes)[-96:] for _ in range(8)}
print(f'different files of 8: {hashes(notes)} with metadata, {hashes(None)} without; different tensor bytes: {len(tails)}')
assert hashes(notes) > 1 and hashes(None) == 1 and len(tails) == 1
PY
