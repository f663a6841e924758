"""R3GAN (Huang et al. 2024, 2501.05441): relativistic pairing loss with R1 and R2, ResNeXt blocks without normalisation.

    python r3gan.py --data DIR --size 64 --hours 1 --threads 2 --seed 0 --out OUT --sample 2000

Written from the paper: equations 2 to 4 (loss and penalties), section 4 and figure 4 (networks), appendix (schedules).
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

import augment
import common
from layers import Classes, Conv, Linear, channels, double, frozen, slopes

CAP, BUDGET = 256, 2048
GROUP, EXPANSION, BLOCKS = 16, 2, 2
# √2 / √(1 + 0.2²): what keeps the variance through a LeakyReLU
GAIN = (2 / 1.04) ** 0.5


def activate(x):
    return F.leaky_relu(x, 0.2)


class Block(nn.Module):
    """x + 1×1 · LReLU · grouped 3×3 · LReLU · 1×1, widened inside. Fix-up: the last convolution starts at 0, the others are scaled
    by L^(-1/4) for L blocks, so that every block starts as the identity."""

    def __init__(self, c, blocks):
        super().__init__()
        inner, gain = c * EXPANSION, GAIN * blocks**-0.25
        self.widen = Conv(c, inner, 1, gain=gain)
        self.grouped = Conv(inner, inner, 3, groups=inner // GROUP, gain=gain)
        self.narrow = Conv(inner, c, 1, bias=False, gain=0.0)

    def forward(self, x):
        return x + self.narrow(activate(self.grouped(activate(self.widen(x)))))


def stage(c, resolutions):
    return nn.Sequential(*(Block(c, BLOCKS * resolutions) for _ in range(BLOCKS)))


def change(ci, co):
    """The 1×1 of a transition, where the width changes. It commutes with resampling and runs at the lower resolution."""
    return nn.Identity() if ci == co else Conv(ci, co, 1, bias=False)


class Generator(nn.Module):
    """z and class to a 4×4 basis scaled channel by channel, then stages with bilinear transitions; 1×1 to RGB."""

    def __init__(self, size, z_dim, classes, width, dtype):
        super().__init__()
        ch, self.dtype = channels(size, CAP, BUDGET, width), dtype
        self.classes = Classes(classes, z_dim)
        self.basis, self.scale = nn.Parameter(torch.randn(ch[4], 4, 4)), Linear(z_dim + self.classes.width, ch[4])
        self.stages = nn.ModuleList(stage(c, len(ch)) for c in ch.values())
        self.changes = nn.ModuleList(change(ch[r // 2], ch[r]) for r in list(ch)[1:])
        self.rgb = Conv(ch[size], 3, 1)

    def forward(self, z, labels):
        x = self.basis * self.scale(self.classes.beside(z, labels))[:, :, None, None]
        x = self.stages[0](x.to(self.dtype).contiguous(memory_format=common.CL))
        for narrower, more in zip(self.changes, self.stages[1:]):
            x = more(double(narrower(x)))
        return self.rgb(x).float()


class Discriminator(nn.Module):
    """The generator's mirror; a depthwise 4×4 convolution and a linear layer to φ, then a linear score or, with classes, ⟨φ, e_c⟩."""

    def __init__(self, size, classes, width, dtype):
        super().__init__()
        ch, self.dtype = channels(size, CAP, BUDGET, width), dtype
        down = list(reversed(ch.items()))
        self.rgb = Conv(3, ch[size], 1)
        self.stages = nn.ModuleList(stage(c, len(ch)) for _, c in down)
        self.changes = nn.ModuleList(change(a, b) for (_, a), (_, b) in zip(down, down[1:]))
        self.last = Conv(ch[4], ch[4], 4, padding=0, groups=ch[4], bias=False)
        self.full = Linear(ch[4], ch[4] if classes else 1)
        self.classes = Classes(classes, ch[4])

    def forward(self, x, labels):
        x = self.stages[0](self.rgb(x.to(self.dtype)))
        for wider, more in zip(self.changes, self.stages[1:]):
            x = more(wider(F.avg_pool2d(x, 2)))
        # over the whole 4x4 map, so a product: the double backward of PyTorch's depthwise convolution goes channel by channel
        x = self.full((x.to(self.last.weight.dtype) * self.last.weight[:, 0]).sum((2, 3)))
        return self.classes.project(x, labels) if self.classes.width else x[:, 0]


class R3GAN(common.Peer):
    name = "r3gan"
    defaults = {"lr": 2e-4, "gamma": 1.0, "batch": 16}
    z_dim = 64
    ema_kimg = 500.0

    @staticmethod
    def options(parser):
        parser.add_argument("--lr", type=float, help="at the start; a quarter of it at the end of the burn-in")
        parser.add_argument("--gamma", type=float, help="R1 and R2 at the start; a tenth of it at the end of the burn-in")
        parser.add_argument("--augment", type=float, default=0.15, help="ADA's probability at the end of the burn-in, from 0")
        parser.add_argument("--burn-in", type=float, default=1.0, help="share of the run over which everything is annealed")

    def build(self, classes):
        o = self.o
        self.g = Generator(o.size, self.z_dim, classes, o.width, self.dtype)
        self.d = Discriminator(o.size, classes, o.width, self.dtype)
        self.opt_g, self.opt_d = (common.adam(m, o.lr, (0.0, 0.9)) for m in (self.g, self.d))

    def anneal(self):
        """Cosine schedules of lr, γ, Adam's β₂ and the augmentation (paper's appendix)."""
        at = lambda start, end: common.cosine(start, end, self.progress / max(1e-9, self.o.burn_in))
        for optimizer in (self.opt_g, self.opt_d):
            for group in optimizer.param_groups:
                group["lr"], group["betas"] = at(self.o.lr, self.o.lr / 4), (0.0, at(0.9, 0.99))
        self.numbers = {"gamma": at(self.o.gamma, self.o.gamma / 10), "p": at(0.0, self.o.augment)}

    def step(self, real, labels):
        self.anneal()
        n, p = len(real), self.numbers["p"]
        both = labels.repeat(2)
        # the discriminator: mean softplus(-(s_r - s_f)) + γ/2 (R1 + R2), by double backward, every step
        with torch.no_grad():
            fake = self.g(self.z(n), labels)
        x = augment.ada(torch.cat([real, fake]), p).contiguous(memory_format=common.CL).requires_grad_(True)
        scores = self.d(x, both)
        gap = scores[:n] - scores[n:]
        penalty = slopes(scores, x)
        r1, r2 = penalty[:n].mean(), penalty[n:].mean()
        loss_d = F.softplus(-gap).mean()
        common.update(self.opt_d, loss_d + self.numbers["gamma"] / 2 * (r1 + r2))
        # the generator: the same pairing from the other side
        frozen(self.d, True)
        with torch.no_grad():
            target = self.d(augment.ada(real, p), labels)
        score = self.d(augment.ada(self.g(self.z(n), labels), p), labels)
        loss_g = F.softplus(-(score - target)).mean()
        common.update(self.opt_g, loss_g)
        frozen(self.d, False)
        losses = {"g": loss_g, "d": loss_d, "gap": gap.mean(), "r1": r1, "r2": r2}
        return {k: v.detach() for k, v in losses.items()}


if __name__ == "__main__":
    common.main(R3GAN)
