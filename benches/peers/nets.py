"""pinxit's networks in PyTorch: the other side of the golden tests and of the speed comparison.

Written from the papers that the design names (StyleGAN2's modulated convolution, R3GAN's loss, projected GANs); `[n, c, h, w]`
throughout, channels_last where it runs on a CPU. Names of parameters follow pinxit's, so that `golden_names` is a plain map.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

import tensors

SLOPE = 0.2
GAIN = math.sqrt(2 / (1 + SLOPE * SLOPE))
CL = torch.channels_last

GENERATORS = {
    "xs-32": [160, 128, 96, 64],
    "xs-64": [160, 128, 96, 64, 32],
    "s-64": [256, 192, 128, 96, 48],
    "xs-128": [160, 128, 96, 64, 40, 20],
    "s-128": [256, 192, 128, 96, 64, 32],
}
DISCRIMINATORS = {
    "xs-32": [64, 96, 128],
    "xs-64": [48, 80, 128, 160],
    "s-64": [64, 128, 192, 256],
    "xs-128": [32, 64, 96, 128, 160],
    "s-128": [48, 64, 128, 192, 256],
}


def resolution(preset):
    return int(preset.split("-")[1])


def style_width(preset):
    return 128 if preset.startswith("xs") else 256


def normal(*shape, std=1.0):
    return nn.Parameter(torch.randn(*shape) * std)


def conv(x, w, b=None, stride=1, padding=None):
    """A convolution in x's precision with weights kept in theirs."""
    padding = w.shape[-1] // 2 if padding is None else padding
    w = w.to(x.dtype).contiguous(memory_format=CL)
    return F.conv2d(x, w, None if b is None else b.to(x.dtype), stride=stride, padding=padding)


# ---------------------------------------------------------------------------------------------------- own discriminator
class OwnDiscriminator(nn.Module):
    """Residual and piecewise linear in the picture: space-to-depth stem, residual stages, depthwise head, label projection."""

    def __init__(self, widths, classes, embed=64, height=32, width=32):
        super().__init__()
        gain = GAIN * len(widths) ** -0.25
        halvings = 2 ** len(widths)
        self.widths = widths
        self.stem_w, self.stem_b = normal(widths[0], 12, 1, 1, std=12**-0.5), nn.Parameter(torch.zeros(widths[0]))
        self.w0 = nn.ParameterList(normal(c, c, 3, 3, std=gain / math.sqrt(9 * c)) for c in widths)
        self.w1 = nn.ParameterList(nn.Parameter(torch.zeros(c, c, 3, 3)) for c in widths)
        self.b0 = nn.ParameterList(nn.Parameter(torch.zeros(c)) for c in widths)
        self.b1 = nn.ParameterList(nn.Parameter(torch.zeros(c)) for c in widths)
        self.widen_w = nn.ParameterList(normal(b, a, 1, 1, std=a**-0.5) for a, b in zip(widths, widths[1:]))
        self.widen_b = nn.ParameterList(nn.Parameter(torch.zeros(b)) for b in widths[1:])
        c, h, w = widths[-1], height // halvings, width // halvings
        self.depthwise, self.linear = normal(c, h, w, std=(h * w) ** -0.5), normal(embed, c, std=c**-0.5)
        self.table = normal(classes + 1, embed, std=embed**-0.5)

    def forward(self, x, labels):
        x = conv(F.pixel_unshuffle(x, 2), self.stem_w, self.stem_b)
        for i in range(len(self.widths)):
            t = conv(F.leaky_relu(x, SLOPE), self.w0[i], self.b0[i])
            x = x + conv(F.leaky_relu(t, SLOPE), self.w1[i], self.b1[i])
            if i + 1 < len(self.widths):
                x = conv(F.avg_pool2d(x, 2), self.widen_w[i], self.widen_b[i])
        phi = torch.einsum("nchw,chw->nc", x.to(self.table.dtype), self.depthwise) @ self.linear.t()
        return (phi * self.table[labels]).sum(1)

    def golden_names(self):
        """name -> (parameter, change of axes)"""
        c0 = self.widths[0]
        # pixel_unshuffle numbers the stem's inputs (c, dy, dx); pinxit numbers them (dy, dx, c)
        stem = lambda w: w.reshape(c0, 3, 2, 2).permute(2, 3, 1, 0).reshape(1, 1, 12, c0)
        same = lambda v: v
        out = {"stem.weight": (self.stem_w, stem), "stem.bias": (self.stem_b, same)}
        for i in range(len(self.widths)):
            out[f"stage.{i}.conv.0.weight"] = (self.w0[i], tensors.conv_last)
            out[f"stage.{i}.conv.0.bias"] = (self.b0[i], same)
            out[f"stage.{i}.conv.1.weight"] = (self.w1[i], tensors.conv_last)
            out[f"stage.{i}.conv.1.bias"] = (self.b1[i], same)
            if i + 1 < len(self.widths):
                out[f"stage.{i}.widen.weight"] = (self.widen_w[i], tensors.conv_last)
                out[f"stage.{i}.widen.bias"] = (self.widen_b[i], same)
        out["head.depthwise"] = (self.depthwise, lambda w: w.permute(1, 2, 0))
        out["head.linear"] = (self.linear, lambda w: w.t())
        out["head.class"] = (self.table, same)
        return out


def relativistic_with_penalties(d, x, labels, gamma):
    """mean softplus(-(s_r - s_f)) + gamma/2 (mean |g_r|^2 + mean |g_f|^2) by double backward; x: reals, then fakes."""
    n = len(x) // 2
    x = x.detach().requires_grad_(True)
    scores = d(x, labels)
    slope = torch.autograd.grad(scores.sum(), x, create_graph=True)[0]
    penalty = slope.square().sum((1, 2, 3))
    loss = F.softplus(-(scores[:n] - scores[n:])).mean() + gamma / 2 * (penalty[:n].mean() + penalty[n:].mean())
    return loss, scores, slope, penalty


# ---------------------------------------------------------------------------------------------------- generator
def rms_norm(x):
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


def double(x):
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class Modulated(nn.Module):
    """StyleGAN2's modulated convolution with shared weights: scale the input, convolve once, scale the output."""

    def __init__(self, ci, co, k, style, demodulate=True, gain=1.0):
        super().__init__()
        self.weight, self.bias = normal(co, ci, k, k, std=gain / math.sqrt(ci * k * k)), nn.Parameter(torch.zeros(co))
        self.affine, self.offset = normal(ci, style, std=style**-0.5), nn.Parameter(torch.ones(ci))
        self.demodulate = demodulate

    def forward(self, x, w):
        s = w @ self.affine.t() + self.offset
        y = conv(x * s.to(x.dtype)[:, :, None, None], self.weight)
        if self.demodulate:
            d = torch.rsqrt(s.square() @ self.weight.square().sum((2, 3)).t() + 1e-8)
            y = y * d.to(x.dtype)[:, :, None, None]
        return y + self.bias.to(x.dtype).view(1, -1, 1, 1)

    def names(self, prefix):
        same, t = lambda v: v, lambda v: v.t()
        return {
            f"{prefix}.weight": (self.weight, tensors.conv_last),
            f"{prefix}.bias": (self.bias, same),
            f"{prefix}.affine.weight": (self.affine, t),
            f"{prefix}.affine.bias": (self.offset, same),
        }


class Generator(nn.Module):
    """Style-based generator with skip-RGB; `dtype` is the precision of its maps, weights stay as they are."""

    def __init__(self, channels, classes, z_dim=128, cond_dim=64, style=128, base=(4, 4), dtype=None):
        super().__init__()
        self.z_dim, self.base, self.dtype, h, w = z_dim, base, dtype, *base
        self.table = normal(classes + 1, cond_dim)
        self.m0w, self.m0b = normal(style, z_dim + cond_dim, std=GAIN / math.sqrt(z_dim + cond_dim)), nn.Parameter(torch.zeros(style))
        self.m1w, self.m1b = normal(style, style, std=GAIN / math.sqrt(style)), nn.Parameter(torch.zeros(style))
        self.const = normal(1, channels[0], h, w, std=0.3)
        self.start_w, self.start_b = normal(channels[0] * h * w, style, std=style**-0.5), nn.Parameter(torch.zeros(channels[0] * h * w))
        self.reduce = nn.ParameterList(normal(b, a, 1, 1, std=a**-0.5) for a, b in zip(channels, channels[1:]))
        self.convs = nn.ModuleList(
            nn.ModuleList(Modulated(c, c, 3, style, gain=GAIN) for _ in range(2 if i < 2 else 1)) for i, c in enumerate(channels)
        )
        self.rgb = nn.ModuleList(Modulated(c, 3, 1, style, demodulate=False, gain=0.5) for c in channels)

    def mapping(self, z, labels):
        x = torch.cat([rms_norm(z), rms_norm(self.table[labels])], 1)
        x = F.leaky_relu(x @ self.m0w.t() + self.m0b, SLOPE)
        return F.leaky_relu(x @ self.m1w.t() + self.m1b, SLOPE)

    def forward(self, z, labels):
        return self.synthesize(self.mapping(z, labels))

    def synthesize(self, w):
        x = self.const + (w @ self.start_w.t() + self.start_b).view(len(w), -1, *self.base)
        x = x.to(self.dtype or x.dtype).contiguous(memory_format=CL)
        picture = None
        for i, (convs, rgb) in enumerate(zip(self.convs, self.rgb)):
            if i:
                x, picture = double(conv(x, self.reduce[i - 1])), double(picture)
            for c in convs:
                x = F.leaky_relu(c(x, w), SLOPE) * math.sqrt(2)
            layer = rgb(x, w).to(w.dtype)
            picture = layer if picture is None else picture + layer
        return picture

    def golden_names(self):
        same, t, (h, w), c0 = lambda v: v, lambda v: v.t(), self.base, self.const.shape[1]
        out = {
            "mapping.class": (self.table, same),
            "mapping.0.weight": (self.m0w, t),
            "mapping.0.bias": (self.m0b, same),
            "mapping.1.weight": (self.m1w, t),
            "mapping.1.bias": (self.m1b, same),
            "start.const": (self.const, tensors.pixels_last),
            "start.weight": (self.start_w, lambda v: v.reshape(c0, h, w, -1).permute(3, 1, 2, 0).reshape(-1, h * w * c0)),
            "start.bias": (self.start_b, lambda v: v.reshape(c0, h, w).permute(1, 2, 0).reshape(-1)),
        }
        for i, (convs, rgb) in enumerate(zip(self.convs, self.rgb)):
            if i:
                out[f"stage.{i}.reduce"] = (self.reduce[i - 1], tensors.conv_last)
            for j, c in enumerate(convs):
                out.update(c.names(f"stage.{i}.conv.{j}"))
            out.update(rgb.names(f"stage.{i}.rgb"))
        return out


# ---------------------------------------------------------------------------------------------------- projected discriminator
# torchvision's MobileNetV2: expansion, channels, repeats, stride of the first
BLOCKS = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
TAPS = {1: 16, 3: 24, 6: 32, 13: 96}
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def folded(path):
    """The asset's folded float16 weights: name -> tensor in PyTorch's axes."""
    return {k: tensors.conv_first(v) if k.endswith("weight") else torch.as_tensor(v) for k, v in tensors.load(path).items()}


def original(path):
    """The package's float32 weights with batch norm, folded here."""
    p = {k: torch.as_tensor(v) for k, v in tensors.load(path).items()}

    def fold(name, norm):
        k = p[norm + ".weight"] / torch.sqrt(p[norm + ".running_var"] + 1e-5)
        return p[name + ".weight"] * k.view(-1, 1, 1, 1), p[norm + ".bias"] - p[norm + ".running_mean"] * k

    out, i = {}, 1
    out["stem.weight"], out["stem.bias"] = fold("features.0.0", "features.0.1")
    for expansion, _, repeats, _ in BLOCKS:
        for _ in range(repeats):
            f, a = f"features.{i}.conv", 1 if expansion > 1 else 0
            if a:
                out[f"block.{i}.expand.weight"], out[f"block.{i}.expand.bias"] = fold(f + ".0.0", f + ".0.1")
            out[f"block.{i}.depthwise.weight"], out[f"block.{i}.depthwise.bias"] = fold(f"{f}.{a}.0", f"{f}.{a}.1")
            out[f"block.{i}.project.weight"], out[f"block.{i}.project.bias"] = fold(f"{f}.{a + 1}", f"{f}.{a + 2}")
            i += 1
    out["last.weight"], out["last.bias"] = fold("features.18.0", "features.18.1")
    return out


class FeatureNet:
    """Frozen MobileNetV2; pictures in -1..1."""

    def __init__(self, weights, dtype=torch.float32):
        self.p = {k: (v.to(dtype).contiguous(memory_format=CL) if v.ndim == 4 else v.to(dtype)) for k, v in weights.items()}
        self.dtype = dtype

    def _conv(self, name, x, stride=1, groups=1, act=True):
        w = self.p[name + ".weight"]
        x = F.conv2d(x, w, self.p[name + ".bias"], stride=stride, padding=w.shape[-1] // 2, groups=groups)
        return x.clamp(0, 6) if act else x

    def run(self, x, last=17):
        """Yields the outputs of blocks 1 to `last`."""
        mean = torch.tensor(MEAN, dtype=x.dtype).view(1, 3, 1, 1)
        deviation = torch.tensor(DEVIATION, dtype=x.dtype).view(1, 3, 1, 1)
        x = (((x + 1) / 2 - mean) / deviation).to(self.dtype).contiguous(memory_format=CL)
        x, i = self._conv("stem", x, 2), 1
        for expansion, _, repeats, stride in BLOCKS:
            for j in range(repeats):
                if i > last:
                    return
                q, start = (stride if j == 0 else 1), x
                if expansion > 1:
                    x = self._conv(f"block.{i}.expand", x)
                x = self._conv(f"block.{i}.depthwise", x, q, x.shape[1])
                x = self._conv(f"block.{i}.project", x, act=False)
                if q == 1 and j > 0:
                    x = x + start
                yield i, x
                i += 1

    def taps(self, x):
        return [y for i, y in self.run(x, 13) if i in TAPS]

    def pooled(self, x):
        for _, y in self.run(x):
            pass
        return self._conv("last", y).mean((2, 3))


class HeadConv(nn.Module):
    """A convolution, on wish divided by its largest singular value, from one power iteration a training step."""

    def __init__(self, ci, co, k, stride=1, padding=0, spectral=True):
        super().__init__()
        self.spectral = spectral
        bound = (ci * k * k) ** -0.5
        self.weight = nn.Parameter((torch.rand(co, ci, k, k) * 2 - 1) * bound)
        self.bias = nn.Parameter((torch.rand(co) * 2 - 1) * bound)
        self.stride, self.padding = stride, padding
        self.register_buffer("u", F.normalize(torch.randn(co), dim=0))
        self.register_buffer("v", F.normalize(torch.randn(ci * k * k), dim=0))
        self.iterate(15)

    @torch.no_grad()
    def iterate(self, times=1):
        m = self.weight.flatten(1)
        for _ in range(times):
            self.v = F.normalize(m.t() @ self.u, dim=0)
            self.u = F.normalize(m @ self.v, dim=0)

    def forward(self, x):
        if not self.spectral:
            return conv(x, self.weight, self.bias, self.stride, self.padding)
        sigma = self.u @ self.weight.flatten(1) @ self.v
        return conv(x, self.weight / sigma, self.bias, self.stride, self.padding)


def with_deviation(x, group):
    """One more channel: the deviation within groups of neighbours in the batch at each place, averaged over channels."""
    n, c, h, w = x.shape
    g = x.reshape(n // group, group, c, h, w)
    deviation = (g.var(1, unbiased=False) + 1e-8).sqrt().mean(1)
    return torch.cat([x, deviation[:, None].expand(-1, group, -1, -1).reshape(n, 1, h, w)], 1)


class Head(nn.Module):
    """Strided convolutions to 4x4, one convolution, a score a place with a label projection."""

    def __init__(self, ci, size, classes, channels, embed, spectral=True, group=0):
        super().__init__()
        self.down, self.group = nn.ModuleList(), group
        while size > 4:
            self.down.append(HeadConv(ci, channels, 4, 2, 1, spectral))
            ci, size = channels, size // 2
        self.last = HeadConv(ci + (group > 0), embed, 3, 1, 1, spectral)
        self.out = HeadConv(embed, 1, 1, spectral=spectral)
        self.table = normal(classes + 1, embed, std=embed**-0.5)

    def layers(self):
        return {**{f"down.{j}": d for j, d in enumerate(self.down)}, "conv": self.last, "out": self.out}

    def forward(self, x, labels):
        for d in self.down:
            x = F.leaky_relu(d(x), SLOPE)
        if self.group:
            x = with_deviation(x, self.group)
        x = F.leaky_relu(self.last(x), SLOPE).to(self.table.dtype)
        return self.out(x)[:, 0] + torch.einsum("nchw,nc->nhw", x, self.table[labels])


def blocks(x):
    """2 x 2 pixels as 12 channels in pinxit's order, (dy, dx, c)."""
    n, _, h, w = x.shape
    return x.reshape(n, 3, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(n, 12, h // 2, w // 2)


class ProjectedDiscriminator(nn.Module):
    """Heads on frozen features that a fixed random map has mixed across channels and scales, and on wish one on the picture."""

    def __init__(
        self, weights, classes, feature_size=64, mix=32, channels=32, embed=32, dtype=torch.float32, spectral=True, group=0, pixels=0
    ):
        """`pixels`: side of the pictures that a fifth head looks at, 0 for none."""
        super().__init__()
        self.net, self.size, self.spectral, self.pixels = FeatureNet(weights, dtype), feature_size, spectral, pixels
        self.scale = [1.0] * (5 if pixels else 4)
        g = torch.Generator().manual_seed(0)
        self.ccm = [(torch.randn(mix, c, 1, 1, generator=g) * math.sqrt(2 / c)).to(dtype) for c in TAPS.values()]
        self.csm = [(torch.randn(mix, mix, 3, 3, generator=g) * math.sqrt(2 / (9 * mix))).to(dtype) for _ in TAPS]
        inputs = [(mix, feature_size // s) for s in (2, 4, 8, 16)] + ([(12, pixels // 2)] if pixels else [])
        self.heads = nn.ModuleList(Head(ci, side, classes, channels, embed, spectral, group) for ci, side in inputs)

    def iterate(self):
        """One power iteration of every convolution: before each step of the heads."""
        if not self.spectral:
            return
        for head in self.heads:
            for layer in head.layers().values():
                layer.iterate()

    def features(self, x):
        picture = x
        if x.shape[-1] != self.size:
            x = F.interpolate(x, size=(self.size, self.size), mode="bilinear", align_corners=False)
        taps, out, coarse = self.net.taps(x), [None] * 4, None
        for k in (3, 2, 1, 0):
            x = conv(taps[k], self.ccm[k])
            if coarse is not None:
                x = (x + double(coarse)) / math.sqrt(2)
            x = coarse = conv(x, self.csm[k])
            out[k] = x.to(self.heads[0].table.dtype) * self.scale[k]
        if self.pixels:
            out.append(blocks(picture) * self.scale[4])
        return out

    @torch.no_grad()
    def standardise(self, pictures):
        """Divides each feature map by its deviation over these pictures."""
        self.scale = [1 / f.std().item() for f in self.features(pictures)]

    def forward(self, features, labels):
        return [head(f, labels) for head, f in zip(self.heads, features)]

    def relativistic(self, real, fake, labels, gamma):
        """Relativistic pairing over all heads and places, and gamma/2 times the squared slope of each picture's score (mean over
        places, sum over heads) in its features, mean over reals plus mean over fakes; by double backward through the heads."""
        real, fake = ([f.detach().requires_grad_(gamma > 0) for f in fs] for fs in (real, fake))
        r, f = self(real, labels), self(fake, labels)
        loss = sum(F.softplus(b - a).mean() for a, b in zip(r, f))
        if gamma == 0:
            return loss, torch.zeros_like(loss)
        total = sum(s.mean((1, 2)).sum() for s in (*r, *f))
        slopes = torch.autograd.grad(total, [*real, *fake], create_graph=True)
        penalty = sum(g.square().sum() for g in slopes) / len(labels)
        return loss + gamma / 2 * penalty, penalty

    def golden_names(self):
        same, out = lambda v: v, {}
        for k, head in enumerate(self.heads):
            for name, layer in head.layers().items():
                out[f"head.{k}.{name}.weight"] = (layer.weight, tensors.conv_last)
                out[f"head.{k}.{name}.bias"] = (layer.bias, same)
            out[f"head.{k}.class"] = (head.table, same)
        return out
