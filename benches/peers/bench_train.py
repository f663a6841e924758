"""How fast PyTorch trains and paints with pinxit's own networks: one JSON line, made to be called in turns with pinxit itself.

    python bench_train.py --preset xs-64 --mode own --batch 32 --seconds 20 --threads 2 --dtype f32

`own`: the piecewise-linear discriminator with exact R1 + R2 by double backward, every step, and a generator step.
`projected`: frozen MobileNetV2 features, heads with relativistic pairing and a penalty on the features' gradients by double
backward (or hinge and spectral norm: `--loss hinge`), and a generator step.
`generate`: pictures a second without gradients. channels_last throughout, fused Adam; bf16 by autocast, weights stay f32.
"""
import argparse
import json
import math
import pathlib

import torch
import torch.nn.functional as F

import clock
import nets

ASSET = pathlib.Path(__file__).resolve().parents[2] / "assets/weights/mobilenet_v2.safetensors"


def augment(x):
    """Brightness, saturation, contrast, translation with replicated edges, cutout of a half, flip: a picture its own draw."""
    n, _, h, w = x.shape
    draw = lambda: torch.rand(n, 1, 1, 1)
    x = torch.where(draw() < 0.5, x.flip(3), x) + (draw() - 0.5) * 0.5
    grey = x.mean(1, keepdim=True)
    x = (x - grey) * (draw() * 0.8 + 0.6) + grey
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * (draw() * 0.6 + 0.7) + mean
    dx, dy = (torch.randint(-s // 8, s // 8 + 1, (n, 1)) for s in (w, h))
    ix, iy = (torch.arange(w) + dx).clamp(0, w - 1), (torch.arange(h) + dy).clamp(0, h - 1)
    x = x.gather(3, ix[:, None, None, :].expand(n, 3, h, w)).gather(2, iy[:, None, :, None].expand(n, 3, h, w))
    far_x = (torch.arange(w) - torch.randint(0, w + 1, (n, 1))).abs() > w // 4
    far_y = (torch.arange(h) - torch.randint(0, h + 1, (n, 1))).abs() > h // 4
    return x * (far_y[:, None, :, None] | far_x[:, None, None, :])


def frozen(module, yes):
    for p in module.parameters():
        p.requires_grad_(not yes)


class Bench:
    def __init__(self, o):
        self.o, self.classes, size = o, 8, nets.resolution(o.preset)
        torch.manual_seed(0)
        self.dtype = torch.bfloat16 if o.dtype == "bf16" else torch.float32
        self.g = nets.Generator(nets.GENERATORS[o.preset], self.classes, style=nets.style_width(o.preset), dtype=self.dtype)
        self.real = torch.rand(o.batch, 3, size, size) * 2 - 1
        self.labels = torch.arange(o.batch) % self.classes
        if o.mode == "own":
            self.d = nets.OwnDiscriminator(nets.DISCRIMINATORS[o.preset], self.classes, height=size, width=size)
            for p in self.d.w1:  # zero at the start, where a sparse gradient would flatter
                p.data.normal_(0, 0.02)
        elif o.mode == "projected":
            hinge = o.loss == "hinge"
            sizes = (o.feature_size, o.mix, o.channels, o.channels)
            group = math.gcd(o.minibatch_std, o.batch) if o.minibatch_std else 0
            self.d = nets.ProjectedDiscriminator(nets.folded(ASSET), self.classes, *sizes, self.dtype, hinge, group, size if o.pixels else 0)
            self.d.standardise(self.real)
        adam = lambda module: torch.optim.Adam(module.parameters(), lr=2e-4, betas=(0.0, 0.99), fused=True)
        self.adam_g, self.adam_d = adam(self.g), adam(self.d) if o.mode != "generate" else None

    def fakes(self):
        return self.g(torch.randn(self.o.batch, self.g.z_dim), self.labels)

    def autocast(self):
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.dtype == torch.bfloat16)

    def step(self):
        loss = getattr(self, "step_" + self.o.mode)()
        if not math.isfinite(loss):
            raise SystemExit("the loss is not finite: the figures would mean nothing")

    @torch.no_grad()
    def step_generate(self):
        return self.fakes().mean().item()

    def generator_step(self, loss):
        self.adam_g.zero_grad()
        loss.backward()
        self.adam_g.step()
        frozen(self.d, False)
        return loss.item()

    def step_own(self):
        fake, real = augment(self.fakes()), augment(self.real)
        with self.autocast():
            loss = nets.relativistic_with_penalties(self.d, torch.cat([real, fake.detach()]), self.labels.repeat(2), 1.0)[0]
        self.adam_d.zero_grad()
        loss.backward()
        self.adam_d.step()
        frozen(self.d, True)
        with torch.no_grad(), self.autocast():
            target = self.d(real, self.labels)
        with self.autocast():
            score = self.d(fake, self.labels)
        return self.generator_step(F.softplus(target - score).mean())

    def step_projected(self):
        fake, real = augment(self.fakes()), augment(self.real)
        with torch.no_grad():
            real_features = self.d.features(real)
        fake_features = self.d.features(fake)
        self.d.iterate()
        if self.o.loss == "relativistic":
            loss = self.d.relativistic(real_features, fake_features, self.labels, self.o.penalty)[0]
        else:
            scores = zip(self.d(real_features, self.labels), self.d([f.detach() for f in fake_features], self.labels))
            loss = sum(F.relu(1 - r).mean() + F.relu(1 + f).mean() for r, f in scores)
        self.adam_d.zero_grad()
        loss.backward()
        self.adam_d.step()
        frozen(self.d, True)
        fake_scores = self.d(fake_features, self.labels)
        if self.o.loss == "hinge":
            return self.generator_step(-sum(s.mean() for s in fake_scores))
        with torch.no_grad():
            real_scores = self.d(real_features, self.labels)
        return self.generator_step(sum(F.softplus(r - f).mean() for r, f in zip(real_scores, fake_scores)))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--preset", choices=sorted(nets.GENERATORS), default="xs-64")
    p.add_argument("--mode", choices=["own", "projected", "generate"], default="own")
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--seconds", type=float, default=20.0)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    p.add_argument("--feature-size", type=int, default=64)
    p.add_argument("--mix", type=int, default=32, help="channels of the frozen mixing")
    p.add_argument("--channels", type=int, default=32, help="channels of the heads")
    p.add_argument("--loss", choices=["relativistic", "hinge"], default="relativistic", help="of the projected discriminator")
    p.add_argument("--penalty", type=float, default=20.0, help="gamma on the features' gradients, relativistic only")
    p.add_argument("--minibatch-std", type=int, default=4, help="neighbours whose spread the heads are told; 0 is off")
    p.add_argument("--pixels", type=int, default=1, help="1: a further head looks at the picture itself")
    p.add_argument("--warm", type=int, default=2, help="steps before the clock starts")
    o = p.parse_args()
    torch.set_num_threads(o.threads)
    times = clock.seconds_a_call(Bench(o).step, o.seconds, o.warm)
    median = times[len(times) // 2]
    print(
        json.dumps(
            {
                "peer": "pytorch " + torch.__version__,
                "preset": o.preset,
                "mode": o.mode,
                "batch": o.batch,
                "threads": o.threads,
                "dtype": o.dtype,
                "steps": len(times),
                "images_per_second": round(o.batch / median, 3),
                "images_per_second_mean": round(o.batch * len(times) / sum(times), 3),
                "milliseconds_per_step": round(median * 1e3, 3),
                "peak_memory_mib": clock.peak_memory_mib(),
            }
        )
    )


if __name__ == "__main__":
    main()
