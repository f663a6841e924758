"""Layers that all three peers share. Maps are `[n, c, h, w]` in channels_last, in f32 or bf16; weights are always kept in f32.

A layer computes in the precision of its input, so bf16 is chosen once, where a network casts its first map (and casts its last one
back). That is what autocast does to convolutions, without its list of exceptions.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

CL = torch.channels_last


def channels(size, cap, budget, width=1.0):
    """Resolution to channels, from 4 px up to `size`: budget / resolution, at most `cap`, times `width`, in multiples of 16."""
    out, r = {}, 4
    while r <= size:
        out[r] = max(16, round(min(cap, budget / r) * width / 16) * 16)
        r *= 2
    return out


# On CUDA grouped convolutions of 16 channels may be slower than one dense convolution whose other weights are 0; `lap.py` tries.
DENSE = False


def dense(w, groups):
    """Weights `[co, ci / groups, k, k]` as `[co, ci, k, k]`, 0 between groups."""
    co, ci, k, _ = w.shape
    eye = torch.eye(groups, dtype=w.dtype, device=w.device).view(groups, 1, groups, 1, 1, 1)
    return (w.view(groups, co // groups, 1, ci, k, k) * eye).reshape(co, groups * ci, k, k).contiguous(memory_format=CL)


class Convolution(torch.autograd.Function):
    """F.conv2d of stride 1 whose gradient in the input is written as a transposed convolution, so that double backward takes another
    way than PyTorch's own. A whole step of R3GAN at 64 px on one thread (one timed step each): f32 5.0 to 4.3 s, bf16 2.75 to 2.14 s.
    For grouped convolutions alone it gains nothing in f32 and half of that in bf16."""

    @staticmethod
    def forward(ctx, x, w, bias, padding, groups):
        ctx.save_for_backward(x, w)
        ctx.padding, ctx.groups = padding, groups
        return F.conv2d(x, w, bias, 1, padding, 1, groups)

    @staticmethod
    def backward(ctx, dy):
        (x, w), p, wanted = ctx.saved_tensors, [ctx.padding] * 2, ctx.needs_input_grad
        dx = F.conv_transpose2d(dy, w, None, 1, ctx.padding, 0, ctx.groups) if wanted[0] else None
        geometry = ([1, 1], p, [1, 1], False, [0, 0], ctx.groups)
        dw = torch.ops.aten.convolution_backward(dy, x, w, None, *geometry, [False, True, False])[1] if wanted[1] else None
        return dx, dw, dy.sum((0, 2, 3)) if wanted[2] else None, None, None


class Conv(nn.Module):
    """A convolution `[n, ci, h, w]` to `[n, co, h', w']`, padded to keep the size unless told.

    `equalised`: weights N(0, 1), scaled when used (progressive GAN, 1710.10196, 4.1); otherwise N(0, gain² / fan-in).
    """

    def __init__(self, ci, co, k, stride=1, padding=None, groups=1, bias=True, gain=1.0, equalised=False):
        super().__init__()
        std = gain / math.sqrt(ci // groups * k * k)
        self.weight = nn.Parameter((torch.randn(co, ci // groups, k, k) * (1.0 if equalised else std)).to(memory_format=CL))
        self.bias = nn.Parameter(torch.zeros(co)) if bias else None
        self.scale, self.stride, self.groups = std if equalised else 1.0, stride, groups
        self.padding = k // 2 if padding is None else padding

    def forward(self, x):
        w = (self.weight * self.scale if self.scale != 1.0 else self.weight).to(x.dtype)
        bias = None if self.bias is None else self.bias.to(x.dtype)
        depthwise = 1 < self.groups == len(w)
        if self.stride == 1 and not depthwise:
            if DENSE and self.groups > 1:
                return Convolution.apply(x, dense(w, self.groups), bias, self.padding, 1)
            return Convolution.apply(x, w, bias, self.padding, self.groups)
        return F.conv2d(x, w, bias, self.stride, self.padding, 1, self.groups)


class Linear(nn.Module):
    """`[n, ci]` to `[n, co]` in f32. `equalised` as in `Conv`; `speed` is the learning-rate multiplier of StyleGAN's mapping."""

    def __init__(self, ci, co, bias=0.0, gain=1.0, equalised=False, speed=1.0):
        super().__init__()
        std = gain / math.sqrt(ci)
        self.weight = nn.Parameter(torch.randn(co, ci) * (1 / speed if equalised else std))
        self.bias = nn.Parameter(torch.full((co,), bias / speed))
        self.scale, self.speed = std * speed if equalised else 1.0, speed

    def forward(self, x):
        return F.linear(x, self.weight * self.scale, self.bias * self.speed)


class Classes(nn.Module):
    """One learned vector `[n, width]` a class, N(0, 1) at the start; nothing at all when a set has no classes."""

    def __init__(self, classes, width):
        super().__init__()
        self.table = nn.Parameter(torch.randn(classes, width)) if classes else None
        self.width = width if classes else 0

    def beside(self, z, labels):
        """`z` and the class's vector, concatenated: `[n, z + width]`."""
        return z if self.table is None else torch.cat([z, self.table[labels]], 1)

    def project(self, features, labels):
        """The projection discriminator's term ⟨φ, e_c⟩ / √width (1802.05637, equation 3): `[n]`, or 0."""
        if self.table is None:
            return 0.0
        return (features * self.table[labels]).sum(1) / math.sqrt(self.width)


def double(x):
    """Bilinear ×2: StyleGAN2's upsampling with the filter [1, 3, 3, 1] and R3GAN's transition."""
    if x.is_cuda:  # whose backward adds up in the map's own precision
        return F.interpolate(x.float(), scale_factor=2, mode="bilinear", align_corners=False).to(x.dtype)
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def frozen(module, yes):
    for p in module.parameters():
        p.requires_grad_(not yes)


def slopes(scores, x):
    """Squared length of each picture's gradient ∂score/∂x, `[n]`, itself differentiable (double backward)."""
    return torch.autograd.grad(scores.sum(), x, create_graph=True)[0].square().sum((1, 2, 3))
