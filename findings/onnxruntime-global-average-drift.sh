#!/usr/bin/env bash
# onnxruntime 1.32.0, CPU: ReduceMean and GlobalAveragePool keep plain running float32 sums.
# Guess: means good to six digits or so, as from NumPy and PyTorch, which add in blocks.
# Seen: ReduceMean of 2^20 values of 0.1 gives 0.099896 (0.1 % off; NumPy 0.10000002); GlobalAveragePool of 4096×8192 pixels
#       of 0.9 gives 0.9666 (7 % off).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
"$dir/venv/bin/python" - <<'PY'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper

def run(op, x):
    graph = helper.make_graph([helper.make_node(op, ['x'], ['y'])], 'g',
                              [helper.make_tensor_value_info('x', TensorProto.FLOAT, x.shape)],
                              [helper.make_tensor_value_info('y', TensorProto.FLOAT, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 22)], ir_version=10)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider']).run(None, {'x': x})[0].item()

tenth = np.full(2**20, 0.1, np.float32)
mean = run('ReduceMean', tenth)
pool = run('GlobalAveragePool', np.full((1, 1, 4096, 8192), 0.9, np.float32))
print(f'onnxruntime {onnxruntime.__version__}: ReduceMean {mean:.6f} for 0.1 (NumPy {tenth.mean():.8f}), GlobalAveragePool {pool:.4f} for 0.9')
assert 5e-5 < abs(mean - 0.1) and 0.01 < abs(pool - 0.9) and abs(tenth.mean() - 0.1) < 1e-6
PY
