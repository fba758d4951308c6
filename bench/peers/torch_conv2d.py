"""PyTorch's convolution, forward and both gradients, on its GPU or else on the processor.

Reads cases [{shape, direction}] as JSON on standard input and prints a line of JSON for each. On a
GPU every case is measured twice: with TF32 off, which is full f32 as everywhere else, and on, which
is PyTorch's default for convolutions.
"""

import json
import math
import statistics
import sys
import time

try:
    import torch
    from torch.nn import grad as gradients
    import torch.nn.functional as functional
except ImportError:
    sys.stderr.write("missing: the Python package torch cannot be imported by python3\n")
    sys.stderr.write("fix: pip install torch, in the environment that python3 belongs to\n")
    sys.exit(3)

BUDGET_SECONDS = 0.5
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
ADAPTER = torch.cuda.get_device_name() if DEVICE == "cuda" else "the processor"


def wait():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def work_of(shape, direction):
    n, h, w, c, k, r, stride = (int(part) for part in shape.split(","))
    p, q = math.ceil(h / stride), math.ceil(w / stride)
    # 'same' as TensorFlow has it may pad unevenly, which PyTorch does by padding the image first.
    total_h, total_w = max(0, (p - 1) * stride + r - h), max(0, (q - 1) * stride + r - w)
    pads = (total_w // 2, total_w - total_w // 2, total_h // 2, total_h - total_h // 2)
    even = pads[0] == pads[1] and pads[2] == pads[3]
    make = lambda *size: torch.randn(*size, device=DEVICE).to(memory_format=torch.channels_last)
    x, weight, dy = make(n, c, h, w), make(k, c, r, r), make(n, k, p, q)
    padding = (pads[2], pads[0]) if even else (0, 0)
    if not even:
        x = functional.pad(x, pads)
    if direction == "forward":
        return lambda: functional.conv2d(x, weight, stride=stride, padding=padding)
    if direction == "grad-input":
        return lambda: gradients.conv2d_input(x.shape, weight, dy, stride=stride, padding=padding)
    return lambda: gradients.conv2d_weight(x, weight.shape, dy, stride=stride, padding=padding)


def measure(run):
    def seconds(count):
        start = time.perf_counter()
        for _ in range(count):
            run()
        wait()
        return (time.perf_counter() - start) / count

    seconds(3)
    first = seconds(1)
    batch = max(1, min(1000, int(0.02 / first)))
    runs = max(5, min(100, int(BUDGET_SECONDS / (first * batch))))
    return 1000 * statistics.median(seconds(batch) for _ in range(runs)), runs


def main():
    version = torch.__version__.split("+")[0]
    modes = [(False, "tf32 off"), (True, "tf32 on")] if DEVICE == "cuda" else [(False, "cpu")]
    for case in json.load(sys.stdin):
        for allow, mode in modes:
            torch.backends.cudnn.allow_tf32 = allow
            torch.backends.cuda.matmul.allow_tf32 = allow
            line = {"engine": f"torch {version} {mode}", "adapter": ADAPTER, **case}
            line["note"] = "wall clock over batches, channels_last"
            try:
                line["ms"], line["runs"] = measure(work_of(case["shape"], case["direction"]))
            except RuntimeError as error:
                line.update(ms=None, runs=0, problem=str(error).splitlines()[0])
            print(json.dumps(line), flush=True)


with torch.no_grad():
    main()
