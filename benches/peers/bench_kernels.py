"""GFLOP/s of PyTorch's convolutions (oneDNN) on pinxit's shapes, one thread: one JSON line, made to be called in turns with pinxit itself.

    python bench_kernels.py --dtype f32 --shapes '[{"name": "16x16", "shape": [32, 16, 16, 128, 128, 3, 1, 1]}]'

A shape is [n, h, w, ci, co, k, stride, pad]; maps and weights are channels_last. ONEDNN_MAX_CPU_ISA=AVX2 keeps oneDNN to AVX2.
"""
import argparse
import json

import torch
import torch.nn.functional as F

import clock

CL = torch.channels_last
# Seconds each pass is called for at least, as pinxit's kernel_speed.
SECONDS = 0.3


def passes(shape, dtype):
    """Name of each pass to a call of it."""
    n, h, w, ci, co, k, stride, pad = shape
    x = torch.randn(n, ci, h, w).to(dtype).contiguous(memory_format=CL)
    weight = torch.randn(co, ci, k, k).to(dtype).contiguous(memory_format=CL)
    dy = torch.randn_like(F.conv2d(x, weight, stride=stride, padding=pad))
    geometry = ([stride] * 2, [pad] * 2, [1, 1], False, [0, 0], 1)
    backward = lambda *mask: torch.ops.aten.convolution_backward(dy, x, weight, None, *geometry, list(mask))
    return {
        "forward": lambda: F.conv2d(x, weight, stride=stride, padding=pad),
        "input": lambda: backward(True, False, False),
        "weight": lambda: backward(False, True, False),
    }


def operations(shape):
    """Two a multiply-add, as the direct way computes them."""
    n, h, w, ci, co, k, stride, pad = shape
    ho, wo = ((s + 2 * pad - k) // stride + 1 for s in (h, w))
    return 2 * n * ho * wo * ci * co * k * k


@torch.no_grad()
def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--shapes", type=json.loads, required=True, help="JSON: a list of objects with name and shape")
    p.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    o = p.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    dtype, kernels = torch.bfloat16 if o.dtype == "bf16" else torch.float32, []
    for kernel in o.shapes:
        work = operations(kernel["shape"])
        speeds = {name: work / clock.own_seconds(call, SECONDS) / 1e9 for name, call in passes(kernel["shape"], dtype).items()}
        kernels.append({"name": kernel["name"], "shape": kernel["shape"], **speeds})
    print(json.dumps({"peer": "pytorch " + torch.__version__, "dtype": o.dtype, "kernels": kernels}))


if __name__ == "__main__":
    main()
