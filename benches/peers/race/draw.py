"""Where the trainers' random numbers come from, and on which device.

As a rule that is torch's one generator, on the CPU. A captured CUDA graph plays the same kernels over the same memory, so `lap.py` gives
a `Tape` instead: two flat buffers, filled anew before every step, of which each draw takes the next piece.
"""
import functools

import torch

device, tape = torch.device("cpu"), None


def use(where, other=None):
    """Draws on the device `where` from now on, from the tape `other` if there is one."""
    global device, tape
    device, tape = torch.device(where), other


class Tape:
    """Uniform and normal numbers for one step. `trim` after the first step keeps only as much as a step takes."""

    def __init__(self, where, uniform=1 << 16, normal=1 << 20):
        self.flat = {"uniform": torch.zeros(uniform, device=where), "normal": torch.zeros(normal, device=where)}
        self.rewind()

    def rewind(self):
        self.at = {"uniform": 0, "normal": 0}

    def refill(self, generator=None):
        self.flat["uniform"].uniform_(generator=generator)
        self.flat["normal"].normal_(generator=generator)
        self.rewind()

    def trim(self, room):
        """`room`: how much more than this step another may take, as a factor."""
        self.flat = {k: v[: min(len(v), int(self.at[k] * room) + 64)] for k, v in self.flat.items()}

    def take(self, kind, shape):
        count = functools.reduce(lambda a, b: a * b, shape, 1)
        start = self.at[kind]
        self.at[kind] = start + (count + 63) // 64 * 64
        assert start + count <= len(self.flat[kind]), f"tape of {kind} numbers too short"
        return self.flat[kind][start : start + count].view(shape)


def rand(*shape):
    return tape.take("uniform", shape) if tape else torch.rand(shape, device=device)


def randn(*shape):
    return tape.take("normal", shape) if tape else torch.randn(shape, device=device)


def randint(low, high, shape):
    if tape:
        return (low + (tape.take("uniform", shape) * (high - low)).long()).clamp(max=high - 1)
    return torch.randint(low, high, shape, device=device)


def arange(n):
    return torch.arange(n, device=device)


@functools.cache
def constant(value, n, device):
    """`[n]` times the same: made once, for a number on the host cannot enter a graph."""
    return torch.full((n,), float(value), device=device)
