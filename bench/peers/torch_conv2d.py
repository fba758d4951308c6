"""PyTorch's convolution, forward and both gradients, on its GPU or else on the processor.

Reads jobs (ConvolutionJob in src/bench/peer_process.ts) and answers them as torch_lib.py says.
"""

import ctypes
import statistics
import time

from torch_lib import read, serve, torch, wait

from torch.nn import grad as gradients
import torch.nn.functional as functional

BUDGET_SECONDS = 0.5


def write(path, tensor):
    values = tensor.cpu().contiguous()
    with open(path, "wb") as file:
        file.write(ctypes.string_at(values.data_ptr(), 4 * values.numel()))


def pads_of(job):
    """Padding of rows and of columns, each before and after."""
    r, stride, padding = job["r"], job["stride"], job["padding"]
    if padding == "same":
        # As TensorFlow has it: the odd one goes to the end.
        totals = [max(0, (out - 1) * stride + r - size) for out, size in ((job["p"], job["h"]), (job["q"], job["w"]))]
        return [(total // 2, total - total // 2) for total in totals]
    each = 0 if padding == "valid" else padding
    return [(each, each), (each, each)]


def work_of(job):
    """The computation, and what turns its result into our layout."""
    n, h, w, c, k, r, stride, p, q = (job[name] for name in "n h w c k r stride p q".split())
    groups = c if job["isDepthwise"] else 1
    images = lambda file, size: read(file, size).permute(0, 3, 1, 2)
    x = images(job["files"]["x"], (n, h, w, c))
    # A depthwise filter [R S C M] lies in memory as [R S 1 C*M] would.
    weight = read(job["files"]["filter"], (r, r, c // groups, k)).permute(3, 2, 0, 1)
    weight = weight.contiguous(memory_format=torch.channels_last)
    (top, bottom), (left, right) = pads_of(job)
    even = top == bottom and left == right
    padding = (top, left) if even else (0, 0)
    # PyTorch pads evenly, so the image is padded first where that must be uneven.
    if not even:
        x = functional.pad(x, (left, right, top, bottom))
        x = x.contiguous(memory_format=torch.channels_last)
    options = {"stride": stride, "padding": padding, "groups": groups}
    to_images = lambda y: y.permute(0, 2, 3, 1)
    if job["direction"] == "forward":
        return lambda: functional.conv2d(x, weight, **options), to_images
    dy = images(job["files"]["dy"], (n, p, q, k))
    if job["direction"] == "grad-input":
        crop = (lambda dx: dx) if even else (lambda dx: dx[:, :, top : top + h, left : left + w])
        return (
            lambda: gradients.conv2d_input(x.shape, weight, dy, **options),
            lambda dx: to_images(crop(dx)),
        )
    return (
        lambda: gradients.conv2d_weight(x, weight.shape, dy, **options),
        lambda dw: dw.permute(2, 3, 1, 0),
    )


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


def convolve(job, mode):
    run, in_our_layout = work_of(job)
    output = f"{job['output']}-{mode.replace(' ', '-')}"
    write(output, in_our_layout(run()))
    ms, runs = measure(run)
    return {"ms": ms, "runs": runs, "output": output}


with torch.no_grad():
    serve("wall clock over batches, channels_last", convolve)
