"""What the PyTorch peers share: the import, reading operands, the jobs and their answers.

A peer reads jobs, one line of JSON each, and answers each with lines of JSON and a last line
{"done": true}. On a GPU every job is done twice: with TF32 off, which is full f32 as everywhere else,
and on, which is PyTorch's default for convolutions.
"""

import array
import json
import sys

try:
    import torch
except ImportError:
    sys.stderr.write("missing: the Python package torch cannot be imported by python3\n")
    sys.stderr.write("fix: python3 -m pip install torch\n")
    sys.exit(3)

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
ADAPTER = torch.cuda.get_device_name() if DEVICE == "cuda" else "the processor"


def wait():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def read(path, shape):
    """Little-endian f32 of a file, as a tensor on the device."""
    values = array.array("f")
    with open(path, "rb") as file:
        values.frombytes(file.read())
    return torch.frombuffer(values, dtype=torch.float32).reshape(shape).to(DEVICE)


def serve(note, answer):
    """Answers the jobs on standard input; `answer` gets a job and the name of the mode."""
    version = torch.__version__.split("+")[0]
    modes = [(False, "tf32 off"), (True, "tf32 on")] if DEVICE == "cuda" else [(False, "cpu")]
    for text in sys.stdin:
        job = json.loads(text)
        for reduced, mode in modes:
            torch.backends.cudnn.allow_tf32 = reduced
            torch.backends.cuda.matmul.allow_tf32 = reduced
            line = {"engine": f"torch {version} {mode}", "adapter": ADAPTER, "isReduced": reduced}
            line["note"] = note
            try:
                line.update(answer(job, mode))
            except (RuntimeError, ValueError) as error:
                line.update(ms=None, runs=0, problem=(str(error).splitlines() or ["no reason given"])[0])
            print(json.dumps(line), flush=True)
        print('{"done":true}', flush=True)
