"""StyleGAN2 (Karras et al. 2020, 1912.04958) with adaptive discriminator augmentation (ADA, 2006.06676), sized for a CPU.

    python stylegan2_ada.py --data DIR --size 64 --hours 1 --threads 2 --seed 0 --out OUT --sample 2000

Non-saturating loss, lazy R1, path length on wish, style mixing, equalised learning rate. Written from the papers.
"""
import functools
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

import augment
import common
import draw
from layers import Classes, Conv, Linear, channels, double, frozen, slopes

CAP, BUDGET = 192, 2048
STYLE = 128
# Lazy regularisation, StyleGAN2 section 3.1: R1 every 16th step, path length every 4th.
R1_EVERY, PATH_EVERY = 16, 4


def activate(x):
    """LeakyReLU(0.2) · √2: keeps the variance."""
    return F.leaky_relu(x, 0.2) * math.sqrt(2)


def boxes(x, *paddings):
    """2-tap boxes one after another; three of them are the filter [1, 3, 3, 1] / 8 in both directions. Faster than a depthwise
    convolution, and its backward much faster."""
    for p in paddings:
        x = F.avg_pool2d(x, 2, 1, p)
    return x


# On CUDA the filter goes into the weights of the convolution beside it: the same function, by linearity, and no passes over the maps.
# The pooling kernels were 4.3 of a step's 11.6 ms there.
FUSE = False


@functools.cache
def filter_matrix(k, device):
    """`[k², (k + 3)²]`: a k×k kernel's numbers to those of the kernel with [1, 3, 3, 1] / 8 in both directions."""
    one = torch.zeros(k + 3, k)
    for a in range(k):
        one[a : a + 4, a] = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    return torch.kron(one, one).t().contiguous().to(device)


def filtered(w):
    """Weights `[a, b, k, k]` to `[a, b, k + 3, k + 3]`."""
    k = w.shape[-1]
    return (w.reshape(-1, k * k) @ filter_matrix(k, w.device)).view(*w.shape[:2], k + 3, k + 3)


def ready(w, dtype):
    return w.to(dtype).contiguous(memory_format=common.CL)


class Mapping(nn.Module):
    """z and class, each normalised, to the style w `[n, STYLE]`; two layers at a hundredth of the learning rate (ADA, appendix D)."""

    def __init__(self, z_dim, classes):
        super().__init__()
        self.classes = Classes(classes, STYLE)
        self.layers = nn.ModuleList(Linear(c, STYLE, equalised=True, speed=0.01) for c in (z_dim + self.classes.width, STYLE))

    def forward(self, z, labels):
        rms = lambda x: x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)
        x = rms(z)
        if self.classes.width:
            x = torch.cat([x, rms(self.classes.table[labels])], 1)
        for layer in self.layers:
            x = activate(layer(x))
        return x


class Modulated(nn.Module):
    """Modulated convolution (section 2.2, equations 1 and 3) by scaling the input and, to demodulate, the output: the same function
    as scaling the weights, and one convolution for the whole batch. `up`: stride ½, then the [1, 3, 3, 1] filter."""

    def __init__(self, ci, co, k, up=False, demodulate=True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(ci, co, k, k) if up else torch.randn(co, ci, k, k))
        self.style, self.scale = Linear(STYLE, ci, bias=1.0, equalised=True), 1 / math.sqrt(ci * k * k)
        self.up, self.demodulate = up, demodulate

    def forward(self, x, w):
        s, weight = self.style(w), self.weight * self.scale
        y = x * s.to(x.dtype)[:, :, None, None]
        if self.up and FUSE:
            y = F.conv_transpose2d(y, ready(4 * filtered(weight), x.dtype), stride=2, padding=2)
        elif self.up:
            y = 4 * boxes(F.conv_transpose2d(y, weight.to(x.dtype).contiguous(memory_format=common.CL), stride=2), 1, 0, 0)
        else:
            y = F.conv2d(y, weight.to(x.dtype).contiguous(memory_format=common.CL), padding=weight.shape[-1] // 2)
        if self.demodulate:
            squares = weight.square().sum((2, 3))
            d = torch.rsqrt(s.square() @ (squares if self.up else squares.t()) + 1e-8)
            y = y * d.to(x.dtype)[:, :, None, None]
        return y


class Styled(nn.Module):
    """Modulated convolution, noise of learned strength, bias, activation."""

    def __init__(self, ci, co, up=False):
        super().__init__()
        self.conv, self.bias, self.strength = Modulated(ci, co, 3, up), nn.Parameter(torch.zeros(co)), nn.Parameter(torch.zeros(()))

    def forward(self, x, w):
        x = self.conv(x, w)
        noise = draw.randn(len(x), 1, *x.shape[2:]) * self.strength
        return activate(x + noise.to(x.dtype) + self.bias.to(x.dtype)[:, None, None])


class Generator(nn.Module):
    """Constant 4×4, two styled convolutions a resolution, skip connections in RGB (section 4, figure 7)."""

    def __init__(self, size, z_dim, classes, width, dtype):
        super().__init__()
        ch, self.dtype, self.z_dim = channels(size, CAP, BUDGET, width), dtype, z_dim
        self.mapping, self.start = Mapping(z_dim, classes), nn.Parameter(torch.randn(1, ch[4], 4, 4))
        self.convs = nn.ModuleList([Styled(ch[4], ch[4])])
        for r in list(ch)[1:]:
            self.convs += [Styled(ch[r // 2], ch[r], up=True), Styled(ch[r], ch[r])]
        self.rgb = nn.ModuleList(Modulated(c, 3, 1, demodulate=False) for c in ch.values())
        self.rgb_bias = nn.Parameter(torch.zeros(len(ch), 3))

    def forward(self, z, labels, mixing=0.0):
        """`mixing`: the probability that a picture's later layers take another z's style (StyleGAN 1812.04948, 3.1)."""
        w, layers = self.mapping(z, labels), len(self.convs)
        styles = w[:, None].expand(-1, layers, -1)
        if mixing:
            other = self.mapping(draw.randn(*z.shape), labels)[:, None]
            cut = draw.randint(1, layers, (len(z),)) + (draw.rand(len(z)) >= mixing) * layers
            styles = torch.where((draw.arange(layers) < cut[:, None])[..., None], styles, other)
        return self.synthesize(styles)

    def synthesize(self, styles):
        """`[n, layers, STYLE]` to pictures `[n, 3, size, size]`."""
        x = self.start.to(self.dtype).expand(len(styles), -1, -1, -1).contiguous(memory_format=common.CL)
        rgb = None
        for k, conv in enumerate(self.convs):
            x = conv(x, styles[:, k])
            if k % 2 == 0:
                i = k // 2
                paint = self.rgb[i](x, styles[:, k]).float() + self.rgb_bias[i][:, None, None]
                rgb = paint if rgb is None else double(rgb) + paint
        return rgb


class Down(nn.Module):
    """Residual block of the discriminator: two convolutions, the second with stride 2 behind the filter, over √2 (figure 7c)."""

    def __init__(self, ci, co):
        super().__init__()
        self.conv = Conv(ci, ci, 3, equalised=True)
        self.down = Conv(ci, co, 3, stride=2, padding=0, equalised=True)
        self.skip = Conv(ci, co, 1, bias=False, equalised=True)

    def forward(self, x):
        y = activate(self.conv(x))
        if FUSE:
            down, skip = (ready(filtered(c.weight * c.scale), x.dtype) for c in (self.down, self.skip))
            y = activate(F.conv2d(y, down, self.down.bias.to(x.dtype), stride=2, padding=2))
            return (y + F.conv2d(x, skip, stride=2, padding=1)) / math.sqrt(2)
        y = activate(self.down(boxes(y, 1, 1, 0)))
        return (y + self.skip(F.avg_pool2d(boxes(x, 1, 0), 2))) / math.sqrt(2)


def with_deviation(x, group=4):
    """One more map: the mean deviation over groups of pictures (minibatch standard deviation, 1710.10196, section 3)."""
    n, c, h, w = x.shape
    g = math.gcd(group, n)
    deviation = (x.view(g, n // g, c, h, w).var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))
    return torch.cat([x, deviation.repeat(g).view(n, 1, 1, 1).expand(n, 1, h, w)], 1)


class Discriminator(nn.Module):
    """Pictures `[n, 3, size, size]` to scores `[n]`; with classes a projection head."""

    def __init__(self, size, classes, width, dtype):
        super().__init__()
        ch, self.dtype = channels(size, CAP, BUDGET, width), dtype
        self.rgb = Conv(3, ch[size], 1, equalised=True)
        self.blocks = nn.ModuleList(Down(ch[r], ch[r // 2]) for r in reversed(list(ch)[1:]))
        self.conv, self.full = Conv(ch[4] + 1, ch[4], 3, equalised=True), Linear(ch[4] * 16, ch[4], equalised=True)
        self.out, self.classes = Linear(ch[4], 1, equalised=True), Classes(classes, ch[4])

    def forward(self, x, labels):
        x = activate(self.rgb(x.to(self.dtype)))
        for block in self.blocks:
            x = block(x)
        x = activate(self.conv(with_deviation(x.float().contiguous())))
        x = activate(self.full(x.flatten(1)))
        return self.out(x)[:, 0] + self.classes.project(x, labels)


class StyleGAN2(common.Peer):
    name = "stylegan2_ada"
    defaults = {"lr": 2.5e-3, "gamma": 0.0, "batch": 16}

    @staticmethod
    def options(parser):
        parser.add_argument("--lr", type=float)
        parser.add_argument("--gamma", type=float, help="R1; 0 is ADA's rule 0.0002 size² / batch")
        parser.add_argument("--augment", choices=["ada", "diffaugment", "none"], default="ada")
        parser.add_argument("--policy", default="color,translation,cutout", help="of diffaugment")
        parser.add_argument("--ada-target", type=float, default=0.6)
        parser.add_argument("--ada-kimg", type=float, default=50.0, help="thousands of pictures in which p could go from 0 to 1")
        parser.add_argument("--mixing", type=float, default=0.9)
        parser.add_argument("--path", type=float, default=0.0, help="weight of path length regularisation; the paper's is 2")

    def build(self, classes):
        o = self.o
        self.g = Generator(o.size, self.z_dim, classes, o.width, self.dtype)
        self.d = Discriminator(o.size, classes, o.width, self.dtype)
        # Adam sees a regularised step as one more step: section 3.1 of StyleGAN2 scales its rates by c = k / (k + 1)
        lazy = lambda module, c: common.adam(module, o.lr * c, (0.0, 0.99**c))
        self.opt_g = lazy(self.g, PATH_EVERY / (PATH_EVERY + 1) if o.path else 1.0)
        self.opt_d = lazy(self.d, R1_EVERY / (R1_EVERY + 1))
        self.gamma = o.gamma or 0.0002 * o.size**2 / o.batch
        self.numbers = {"p": 0.0, "signs": 0.0, "path_mean": 0.0}

    def augmented(self, x):
        if self.o.augment == "ada":
            return augment.ada(x, self.numbers["p"])
        return augment.diff_augment(x, self.o.policy.split(",")) if self.o.augment == "diffaugment" else x

    def step(self, real, labels):
        n, losses = len(real), {}
        frozen(self.d, True)
        fake = self.g(self.z(n), labels, self.o.mixing)
        loss = F.softplus(-self.d(self.augmented(fake), labels)).mean()
        common.update(self.opt_g, loss)
        losses["g"] = loss.detach()
        if self.o.path and self.steps % PATH_EVERY == 0:
            losses["path"] = self.path_length(labels[: max(1, n // 2)])
        frozen(self.d, False)

        with torch.no_grad():
            fake = self.g(self.z(n), labels, self.o.mixing)
        x, fake = self.augmented(torch.cat([real, fake])).chunk(2)
        scores = self.d(x, labels)
        loss = F.softplus(-scores).mean() + F.softplus(self.d(fake, labels)).mean()
        common.update(self.opt_d, loss)
        losses["d"] = loss.detach()
        if self.steps % R1_EVERY == 0:
            x = self.augmented(real).requires_grad_(True)
            penalty = slopes(self.d(x, labels), x).mean()
            common.update(self.opt_d, self.gamma / 2 * R1_EVERY * penalty)
            losses["r1"] = penalty.detach()
        if self.o.augment == "ada":
            self.adapt(scores)
        return losses

    def path_length(self, labels):
        """Section 3.2, equation 4: (‖Jᵀy‖ − a)², y a random picture, a the running mean of the lengths."""
        w = self.g.mapping(self.z(len(labels)), labels)[:, None].repeat(1, len(self.g.convs), 1)
        picture = self.g.synthesize(w)
        noise = draw.randn(*picture.shape) / self.o.size
        slope = torch.autograd.grad((picture * noise).sum(), w, create_graph=True)[0]
        lengths = slope.square().sum(2).mean(1).sqrt()
        self.numbers["path_mean"] += 0.01 * (lengths.mean().item() - self.numbers["path_mean"])
        loss = (lengths - self.numbers["path_mean"]).square().mean()
        common.update(self.opt_g, self.o.path * PATH_EVERY * loss)
        return loss.detach()

    def adapt(self, scores):
        """Section 3.1 of ADA: every 4 steps p moves towards r_t = E[sign D(real)] = target."""
        now = self.numbers
        now["signs"] += scores.detach().sign().mean().item() / 4
        if self.steps % 4 == 3:
            move = 4 * self.o.batch / (self.o.ada_kimg * 1000)
            now["r_t"] = now["signs"]
            now["p"] = min(1.0, max(0.0, now["p"] + math.copysign(move, now["r_t"] - self.o.ada_target)))
            now["signs"] = 0.0


if __name__ == "__main__":
    common.main(StyleGAN2)
