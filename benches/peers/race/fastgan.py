"""FastGAN (Liu et al. 2021, 2101.04775): skip-layer excitation, hinge loss, a discriminator that also learns to encode.

    python fastgan.py --data DIR --size 64 --hours 1 --threads 2 --seed 0 --out OUT --sample 2000

Written from the paper: section 3.1 (generator, equation 2), 3.2 (discriminator and decoders, equations 3 to 5), figures 3 and 4.
"""
import pathlib
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm

import augment
import common
import draw
from layers import Classes, Conv, Linear, frozen

G_CHANNELS = {4: 256, 8: 160, 16: 96, 32: 64, 64: 32, 128: 16}
D_CHANNELS = {128: 16, 64: 32, 32: 48, 16: 96, 8: 192}
PEERS = pathlib.Path(__file__).resolve().parents[1]
MOBILENET = PEERS.parents[1] / "assets/weights/mobilenet_v2.safetensors"


def scaled(table, width):
    return {r: max(16, round(c * width / 16) * 16) for r, c in table.items()}


def norm(c):
    return nn.BatchNorm2d(c)


class Gated(nn.Module):
    """Convolution, noise of learned strength on wish, batch normalisation, gated linear unit: `[n, ci, h, w]` to `[n, co, h, w]`."""

    def __init__(self, ci, co, noise=True):
        super().__init__()
        self.conv, self.norm = Conv(ci, 2 * co, 3, bias=False), norm(2 * co)
        self.strength = nn.Parameter(torch.zeros(())) if noise else None

    def forward(self, x):
        x = self.conv(x)
        if self.strength is not None:
            x = x + (draw.randn(len(x), 1, *x.shape[2:]) * self.strength).to(x.dtype)
        return F.glu(self.norm(x), dim=1)


class Excitation(nn.Module):
    """Skip-layer excitation, equation 2: a coarse map decides, channel by channel, how much of a fine one goes on."""

    def __init__(self, coarse, fine):
        super().__init__()
        self.squeeze, self.out = Conv(coarse, fine, 4, padding=0), Conv(fine, fine, 1)

    def forward(self, coarse, fine):
        s = F.leaky_relu(self.squeeze(F.adaptive_avg_pool2d(coarse, 4)), 0.1)
        return fine * torch.sigmoid(self.out(s))


class Generator(nn.Module):
    """z to 4×4 by a transposed convolution (a linear layer, at 1×1), then nearest ×2 and gated convolutions: two at 8, 32 and 128 px,
    one at 16 and 64 px. Resolutions from 32 px up are excited by the map a sixteenth as large (4 px at least)."""

    def __init__(self, size, z_dim, classes, width, dtype):
        super().__init__()
        ch, self.dtype = {r: c for r, c in scaled(G_CHANNELS, width).items() if r <= size}, dtype
        self.classes = Classes(classes, z_dim)
        self.start, self.start_norm = Linear(z_dim + self.classes.width, ch[4] * 2 * 16), norm(ch[4] * 2)
        self.ups, self.excite = nn.ModuleDict(), nn.ModuleDict()
        for r in list(ch)[1:]:
            first = Gated(ch[r // 2], ch[r])
            self.ups[str(r)] = nn.Sequential(first, Gated(ch[r], ch[r])) if r in (8, 32, 128) else first
            if r >= 32:
                self.excite[str(r)] = Excitation(ch[max(4, r // 16)], ch[r])
        self.rgb = Conv(ch[size], 3, 3)

    def forward(self, z, labels):
        x = self.start(self.classes.beside(z, labels)).view(len(z), -1, 4, 4).to(self.dtype).contiguous(memory_format=common.CL)
        maps = {4: F.glu(self.start_norm(x), dim=1)}
        for key, up in self.ups.items():
            r = int(key)
            x = up(F.interpolate(maps[r // 2], scale_factor=2, mode="nearest"))
            maps[r] = self.excite[key](maps[max(4, r // 16)], x) if key in self.excite else x
        return torch.tanh(self.rgb(maps[r]).float())


def conv(ci, co, k, stride=1, padding=None):
    return spectral_norm(Conv(ci, co, k, stride, padding, bias=False))


class Down(nn.Module):
    """Half the resolution: mean of a convolutional and a pooled way (figure 4)."""

    def __init__(self, ci, co):
        super().__init__()
        act = lambda: nn.LeakyReLU(0.2)
        self.main = nn.Sequential(conv(ci, co, 4, 2, 1), norm(co), act(), conv(co, co, 3), norm(co), act())
        self.side = nn.Sequential(nn.AvgPool2d(2), conv(ci, co, 1), norm(co), act())

    def forward(self, x):
        return (self.main(x) + self.side(x)) / 2


class Decoder(nn.Module):
    """8×8 features to a picture of `side` pixels, in gated steps."""

    def __init__(self, ci, side):
        super().__init__()
        layers, r, c = [], 8, 64
        layers.append(Gated(ci, c, noise=False))
        while r < side:
            layers += [nn.Upsample(scale_factor=2, mode="nearest"), Gated(c, c // 2, noise=False)]
            r, c = r * 2, c // 2
        self.layers = nn.Sequential(*layers, Conv(c, 3, 3), nn.Tanh())

    def forward(self, x):
        return self.layers(x).float()


class Discriminator(nn.Module):
    """Pictures to 5×5 scores and the features at 16 and 8 px; decoders of both, each to half the picture's side."""

    def __init__(self, size, classes, width, dtype):
        super().__init__()
        ch, self.dtype = scaled(D_CHANNELS, width), dtype
        self.stem = nn.Sequential(conv(3, ch[size // 2], 4, 2, 1), nn.LeakyReLU(0.2))
        self.downs = nn.ModuleDict()
        r = size // 2
        while r > 8:
            self.downs[str(r // 2)] = Down(ch[r], ch[r // 2])
            r //= 2
        self.head = nn.Sequential(conv(ch[8], ch[8], 1), norm(ch[8]), nn.LeakyReLU(0.2))
        self.score, self.classes = conv(ch[8], 1, 4, padding=0), Classes(classes, ch[8])
        self.part, self.whole = Decoder(ch[16], size // 2), Decoder(ch[8], size // 2)

    def forward(self, x, labels):
        """Scores `[n, 5, 5]`, features `[n, c, 16, 16]` and `[n, c, 8, 8]`."""
        x = self.stem(x.to(self.dtype))
        maps = {x.shape[-1]: x}
        for r, down in self.downs.items():
            x = maps[int(r)] = down(x)
        x = self.head(x)
        scores = self.score(x).float()[:, 0]
        if self.classes.width:
            scores = scores + self.classes.project(x.float().mean((2, 3)), labels)[:, None, None]
        return scores, maps[16], maps[8]


class FastGAN(common.Peer):
    name = "fastgan"
    defaults = {"lr": 2e-4, "gamma": 1.0, "batch": 16}

    @staticmethod
    def options(parser):
        parser.add_argument("--lr", type=float)
        parser.add_argument("--gamma", type=float, help="weight of the reconstruction, which regularises the discriminator here")
        parser.add_argument("--recon", choices=["l1", "features"], default="l1", help="features: L1 and L1 of MobileNetV2's maps")
        parser.add_argument("--policy", default="color,translation", help="of DiffAugment; empty for none")

    def build(self, classes):
        o = self.o
        self.g = Generator(o.size, self.z_dim, classes, o.width, self.dtype)
        self.d = Discriminator(o.size, classes, o.width, self.dtype)
        self.opt_g, self.opt_d = (common.adam(m, o.lr, (0.5, 0.999)) for m in (self.g, self.d))
        self.features = None
        if o.recon == "features":
            sys.path.insert(0, str(PEERS))
            import nets

            self.features = nets.FeatureNet(nets.folded(MOBILENET), self.dtype)

    def step(self, real, labels):
        n, policy = len(real), self.o.policy.split(",")
        real, fake = augment.diff_augment(real, policy), augment.diff_augment(self.g(self.z(n), labels), policy)
        scores, part, whole = self.d(real, labels)
        recon = self.reconstruction(real, part, whole)
        loss_d = F.relu(1 - scores).mean() + F.relu(1 + self.d(fake.detach(), labels)[0]).mean()
        common.update(self.opt_d, loss_d + self.o.gamma * recon)
        frozen(self.d, True)
        loss_g = -self.d(fake, labels)[0].mean()
        common.update(self.opt_g, loss_g)
        frozen(self.d, False)
        return {"g": loss_g.detach(), "d": loss_d.detach(), "recon": recon.detach()}

    def reconstruction(self, real, part, whole):
        """Equation 5, on reals alone: the whole picture from the 8-px map, one random quarter from the same quarter of the 16-px map."""
        place = draw.randint(0, 2, (2,))
        quarter, crop = (self.quarter(maps, place).contiguous(memory_format=common.CL) for maps in (real, part))
        small = F.avg_pool2d(real, 2)
        return self.unlike(self.d.whole(whole), small) + self.unlike(self.d.part(crop), quarter)

    def quarter(self, maps, place):
        """That of row `place[0]` and column `place[1]`, chosen without asking the device."""
        n, c, h, w = maps.shape
        rows = maps.reshape(n, c, 2, h // 2, w).index_select(2, place[:1])
        return rows.reshape(n, c, h // 2, 2, w // 2).index_select(3, place[1:])[:, :, :, 0]

    def unlike(self, a, b):
        loss = F.l1_loss(a, b)
        if self.features:
            with torch.no_grad():
                wanted = self.features.taps(b)
            loss = loss + sum(F.l1_loss(x.float(), y.float()) for x, y in zip(self.features.taps(a), wanted))
        return loss

    @torch.no_grad()
    def settle(self, labels, batches=32):
        """The average has had none of its own batch statistics: takes them anew from what it paints (BigGAN's standing statistics)."""
        norms = [m for m in self.average.modules() if isinstance(m, nn.BatchNorm2d)]
        for m in norms:
            m.reset_running_stats()
            m.momentum = None
        self.average.train()
        for _ in range(batches):
            some = labels[draw.randint(0, len(labels), (32,))]
            self.average(self.z(len(some)), some)
        self.average.eval()


if __name__ == "__main__":
    common.main(FastGAN)
