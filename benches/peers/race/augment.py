"""Differentiable augmentations of `[n, 3, h, w]` pictures in -1..1, applied to real and painted alike before the discriminator."""
import functools
import math

import torch
import torch.nn.functional as F

import draw


# ------------------------------------------------------------------------------------------------ DiffAugment, 2006.10738
def diff_augment(x, policy):
    """`policy` names some of color, translation and cutout (section 3.3 and appendix of the paper); every picture has its own draw."""
    n, _, h, w = x.shape
    some = lambda: draw.rand(n, 1, 1, 1)
    if "color" in policy:
        x = x + (some() - 0.5)
        grey = x.mean(1, keepdim=True)
        x = (x - grey) * (some() * 2) + grey
        mean = x.mean((1, 2, 3), keepdim=True)
        x = (x - mean) * (some() + 0.5) + mean
    if "translation" in policy:
        x = shift(x, *(draw.randint(-(s // 8), s // 8 + 1, (n,)) for s in (h, w)))
    if "cutout" in policy:
        far = [(draw.arange(s) - draw.randint(0, s + 1, (n, 1)) + 0.5).abs() > s // 4 for s in (h, w)]
        x = x * (far[0][:, None, :, None] | far[1][:, None, None, :])
    return x


def shift(x, dy, dx):
    """Whole pixels, a picture its own; what comes in from outside is 0."""
    n, c, h, w = x.shape
    y, xs = draw.arange(h) + dy[:, None], draw.arange(w) + dx[:, None]
    inside = ((y >= 0) & (y < h))[:, None, :, None] & ((xs >= 0) & (xs < w))[:, None, None, :]
    x = x.gather(2, y.clamp(0, h - 1)[:, None, :, None].expand(n, c, h, w))
    return x.gather(3, xs.clamp(0, w - 1)[:, None, None, :].expand(n, c, h, w)) * inside


# ------------------------------------------------------------------------------------------------ ADA, 2006.06676
def ada(x, p):
    """Appendix B of ADA with pixel blitting, geometry and colour, each transformation with probability `p`.

    One affine map and one colour matrix a picture; sampled bilinearly with mirrored edges. `p` is a number, or a tensor of one.
    """
    if not torch.is_tensor(p) and p <= 0:
        return x
    matrix = colour(len(x), p)
    x = geometry(x, p)
    y = torch.einsum("nij,njhw->nihw", matrix[:, :3, :3], x) + matrix[:, :3, 3, None, None]
    return y.contiguous(memory_format=torch.channels_last)


def sometimes(n, p, value, neutral):
    """`value [n]` with probability p, else the neutral element."""
    return torch.where(draw.rand(n) < p, value, draw.constant(neutral, n, draw.device))


def matrices(rows):
    """Rows of numbers and `[n]` vectors to `[n, r, r]`."""
    n = next(len(v) for row in rows for v in row if torch.is_tensor(v))
    full = lambda v: v if torch.is_tensor(v) else draw.constant(v, n, draw.device)
    return torch.stack([full(v) for row in rows for v in row], 1).view(n, len(rows), len(rows))


def scaling(sx, sy):
    return matrices([[sx, 0, 0], [0, sy, 0], [0, 0, 1]])


def rotation(angle):
    c, s = angle.cos(), angle.sin()
    return matrices([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def moving(tx, ty):
    return matrices([[1, 0, tx], [0, 1, ty], [0, 0, 1]])


def geometry(x, p):
    """Flip, quarter turns, whole-pixel shift, scale, rotation, stretch, rotation, shift. Coordinates run over -1..1, so a share of
    the picture counts twice."""
    n, _, h, w = x.shape
    m = scaling(sometimes(n, p, 1 - 2 * draw.randint(0, 2, (n,)).float(), 1), 1)
    m = rotation(sometimes(n, p, math.pi / 2 * draw.randint(0, 4, (n,)).float(), 0)) @ m
    whole = lambda s: torch.round((draw.rand(n) * 2 - 1) * 0.125 * s) / s * 2
    move = (draw.rand(n) < p).float()
    m = moving(whole(w) * move, whole(h) * move) @ m
    s = sometimes(n, p, torch.exp2(0.2 * draw.randn(n)), 1)
    m = scaling(s, s) @ m
    # two rotations, each with a probability such that some rotation happens with probability p
    turn = lambda: rotation(sometimes(n, 1 - (1 - p) ** 0.5, (draw.rand(n) * 2 - 1) * math.pi, 0))
    m = turn() @ m
    s = sometimes(n, p, torch.exp2(0.2 * draw.randn(n)), 1)
    m = turn() @ scaling(s, 1 / s) @ m
    move = (draw.rand(n) < p).float() * 0.25
    m = moving(draw.randn(n) * move, draw.randn(n) * move) @ m
    # the sampler asks where an output pixel comes from: the inverse, which for a random draw is the same family of maps
    grid = F.affine_grid(inverse(m), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def inverse(m):
    """Of affine maps `[n, 3, 3]`, without their last row: `[n, 2, 3]`."""
    (a, b, c), (d, e, f) = m[:, 0].unbind(1), m[:, 1].unbind(1)
    return (torch.stack([e, -b, b * f - e * c, -d, a, d * c - a * f], 1) / (a * e - b * d)[:, None]).view(-1, 2, 3)


def colour(n, p):
    """Brightness, contrast, luma flip, hue and saturation as one 4x4 matrix on (r, g, b, 1): `[n, 4, 4]`."""
    eye, along, cross, square = greys(draw.device)
    b = sometimes(n, p, 0.2 * draw.randn(n), 0)
    m = matrices([[1, 0, 0, b], [0, 1, 0, b], [0, 0, 1, b], [0, 0, 0, 1]])
    c = sometimes(n, p, torch.exp2(0.5 * draw.randn(n)), 1)
    m = matrices([[c, 0, 0, 0], [0, c, 0, 0], [0, 0, c, 0], [0, 0, 0, 1]]) @ m
    flip = sometimes(n, p, draw.randint(0, 2, (n,)).float(), 0)
    m = (eye - 2 * along * flip[:, None, None]) @ m
    angle = sometimes(n, p, (draw.rand(n) * 2 - 1) * math.pi, 0)[:, None, None]
    m = (eye + angle.sin() * cross + (1 - angle.cos()) * square) @ m
    s = sometimes(n, p, torch.exp2(draw.randn(n)), 1)[:, None, None]
    return (along + (eye - along) * s) @ m


@functools.cache
def greys(device):
    """The identity, the projection on the grey axis, and what turns about that axis (Rodrigues' formula): K and K², all `[4, 4]`."""
    v = 1 / math.sqrt(3)
    luma = torch.tensor([v, v, v, 0.0])
    cross = torch.tensor([[0, -v, v, 0], [v, 0, -v, 0], [-v, v, 0, 0], [0, 0, 0, 0.0]])
    return [m.to(device) for m in (torch.eye(4), torch.outer(luma, luma), cross, cross @ cross)]
