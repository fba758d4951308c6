#!/usr/bin/env bash
# onnx 1.23.2: the standard's own ReferenceEvaluator shifts every window of AveragePool when ceil_mode=1 makes a last window
# hang over the edge, as if half of the overhang were padding at the beginning.
# Guess: the reference is right, and windows start at 0, stride, 2 stride … when pads are 0.
# Seen: 7×7 of 0 … 48, kernel 3, stride 3, no pads: first window 4 (the mean of 0 1 7 8) from the reference, 8 (the mean of
#       rows and columns 0 to 2) from onnxruntime 1.32.0.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
"$dir/venv/bin/python" - <<'PY'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

x = np.arange(49, dtype=np.float32).reshape(1, 1, 7, 7)
node = helper.make_node('AveragePool', ['x'], ['y'], kernel_shape=[3, 3], strides=[3, 3], ceil_mode=1)
graph = helper.make_graph([node], 'g', [helper.make_tensor_value_info('x', TensorProto.FLOAT, x.shape)],
                          [helper.make_tensor_value_info('y', TensorProto.FLOAT, ['n', 'c', 'h', 'w'])])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 22)], ir_version=10)
onnx.checker.check_model(model)
reference = ReferenceEvaluator(model).run(None, {'x': x})[0][0, 0]
runtime = onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider']).run(None, {'x': x})[0][0, 0]
print('reference  ', reference.tolist())
print('onnxruntime', runtime.tolist())
assert reference.tolist() == [[4, 6.5, 8.5], [21.5, 24, 26], [35.5, 38, 40]]
assert runtime.tolist() == [[8, 11, 13], [29, 32, 34], [43, 46, 48]]
PY
