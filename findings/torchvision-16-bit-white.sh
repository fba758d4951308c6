#!/usr/bin/env bash
# torchvision 0.29.2 with PyTorch 2.15.0: white of a 16-bit grey picture becomes -1, and white of an 8-bit one is not white in 16 bits.
# Guess: to_tensor gives floats from 0 to 1 (it scales 8-bit pictures so), and uint8 to uint16 with scale=True takes 255 to 65535.
# Seen: to_tensor of the pixels 0 32767 32768 65535 (mode I;16) gives int16 0 32767 -32768 -1; v2.functional.to_dtype takes
#       uint8 255 to uint16 65280, which is 0.9961 as a float. pil_to_tensor keeps 65535.
# Installs torch and its CUDA packages (several GB) in a temporary folder.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q torch==2.15.0 torchvision==0.29.2 pillow==13.0.0 numpy==2.4.6
"$dir/venv/bin/python" - <<'PY'
import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision.transforms.functional import to_tensor
from torchvision.transforms.v2 import functional as v2

picture = Image.fromarray(np.array([[0, 32767, 32768, 65535]], np.uint16))
old = to_tensor(picture)
kept = v2.pil_to_tensor(picture)
wide = v2.to_dtype(torch.tensor([255], dtype=torch.uint8), torch.uint16, scale=True)
back = v2.to_dtype(wide, torch.float32, scale=True).item()
print(f'torchvision {torchvision.__version__}: to_tensor {old.dtype} {old.flatten().tolist()}, pil_to_tensor {kept.dtype} {kept.flatten().tolist()}')
print(f'uint8 255 to uint16: {wide.item()}, as a float {back:.4f}')
assert old.dtype == torch.int16 and old.flatten().tolist() == [0, 32767, -32768, -1]
assert kept.flatten().tolist() == [0, 32767, 32768, 65535]
assert wide.item() == 65280 and round(back, 4) == 0.9961
PY
