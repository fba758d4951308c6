#!/usr/bin/env bash
# onnxruntime 1.32.0, CPU: whether MaxPool lets a NaN through depends on its place in the window and on whether the node's
# second output, Indices, is asked for.
# Guess: one rule for NaN, either passed on (as PyTorch's) or skipped, and the same Y with and without Indices.
# Seen: 2×2 windows of 0 1 2 3 with a NaN at place 0, 1, 2, 3:
#       Y alone 3 3 3 nan; Y beside Indices nan 3 3 2.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
"$dir/venv/bin/python" - <<'PY'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper

def pool(outputs):
    values = [helper.make_tensor_value_info('y', TensorProto.FLOAT, None), helper.make_tensor_value_info('i', TensorProto.INT64, None)]
    node = helper.make_node('MaxPool', ['x'], ['y', 'i'][:outputs], kernel_shape=[2, 2])
    graph = helper.make_graph([node], 'g', [helper.make_tensor_value_info('x', TensorProto.FLOAT, [1, 1, 2, 2])], values[:outputs])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 22)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider'])
    seen = []
    for place in range(4):
        x = np.arange(4, dtype=np.float32)
        x[place] = np.nan
        seen.append(session.run(None, {'x': x.reshape(1, 1, 2, 2)})[0].item())
    return seen

alone, beside = pool(1), pool(2)
print(f'onnxruntime {onnxruntime.__version__}: Y alone {alone}, Y beside Indices {beside}')
np.testing.assert_array_equal(alone, [3, 3, 3, np.nan])
np.testing.assert_array_equal(beside, [np.nan, 3, 3, 2])
PY
