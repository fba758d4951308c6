"""Training in PyTorch, in eager mode, on its GPU or else on the processor.

Reads jobs (TrainingJob in src/bench/peer_process.ts) as torch_lib.py says: a network, its initial
weights, a batch and an optimizer. Answers with the losses of the first steps, the time of the very
first, the time of the steps that follow, and memory.
"""

import array
import gc
import math
import re
import resource
import statistics
import sys
import time

from torch_lib import DEVICE, read, serve, torch, wait
from torch_networks import NETWORKS, Network

import torch.nn.functional as functional

BUDGET_SECONDS = 4
PARTS = 3


def parameters_of(job):
    """In PyTorch's layouts: filters [K C R S], weights of dense layers [out in]."""
    values = read(job["files"]["weights"], (-1,))
    parameters = {}
    for entry in job["weights"]:
        shape, start = entry["shape"], entry["offset"]
        size = 1
        for length in shape:
            size *= length
        value = values[start : start + size].reshape(shape)
        if len(shape) == 4:
            value = value.permute(3, 2, 0, 1).clone(memory_format=torch.channels_last)
        elif len(shape) == 2:
            value = value.t().clone(memory_format=torch.contiguous_format)
        else:
            value = value.clone()
        parameters[entry["name"]] = value.requires_grad_()
    return parameters


def labels_of(path):
    values = array.array("i")
    with open(path, "rb") as file:
        values.frombytes(file.read())
    return torch.tensor(values, dtype=torch.int64, device=DEVICE)


def optimizer_of(parameters, rule):
    if rule["name"] == "adam":
        betas = (rule["beta1"], rule["beta2"])
        return torch.optim.Adam(parameters, rule["lr"], betas, rule["epsilon"])
    if rule["name"] == "sgd":
        return torch.optim.SGD(parameters, rule["lr"], rule["momentum"])
    raise ValueError(f"no optimizer named {rule['name']}; there are adam, sgd")


def program_of(job):
    """A function that trains a step and returns its loss, and the network."""
    n, (h, w, c) = job["batchSize"], job["input"]
    images = read(job["files"]["images"], (n, h, w, c)).permute(0, 3, 1, 2)
    labels = labels_of(job["files"]["labels"])
    network = Network(parameters_of(job))
    forward = NETWORKS[job["model"]]
    optimizer = optimizer_of(network.parameters.values(), job["optimizer"])

    def step():
        loss = functional.cross_entropy(forward(network, images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step, network


def measure(step):
    """Seconds a step when steps follow each other without a pause: the median of three parts."""

    def run(count):
        start = time.perf_counter()
        for _ in range(count):
            step()
        wait()
        return (time.perf_counter() - start) / count

    count = max(1, min(100, int(BUDGET_SECONDS / PARTS / run(1))))
    return 1000 * statistics.median(run(count) for _ in range(PARTS)), count * PARTS


def peak_memory():
    if DEVICE == "cuda":
        return torch.cuda.max_memory_allocated(), "arrays, by its own count"
    text = "the whole process with its libraries"
    try:
        with open("/proc/self/status") as file:
            return 1024 * int(re.search(r"VmHWM:\s*(\d+) kB", file.read()).group(1)), text
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, text


def train(job, mode):
    if DEVICE == "cuda":
        # What another mode left would count.
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    step, network = program_of(job)
    wait()
    start = time.perf_counter()
    losses = [step().item()]
    first_ms = 1000 * (time.perf_counter() - start)
    if network.unused:
        raise ValueError(f"parameters without a place: {', '.join(sorted(network.unused))}")
    losses += [step().item() for _ in range(job["updates"])]
    # JSON has no way to write what is no number.
    losses = [loss if math.isfinite(loss) else None for loss in losses]
    ms, runs = measure(step)
    peak, memory_of = peak_memory()
    figures = {"losses": losses, "firstStepMs": first_ms, "peakBytes": peak, "memoryOf": memory_of}
    return {"ms": ms, "runs": runs, **figures}


serve("eager, channels_last", train)
