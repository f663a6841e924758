"""What the three trainers share: data, the clock, the moving average, checkpoints, samples, the log and the command line.

A trainer is a subclass of `Peer` with `build` and `step`, and ends with `main(ItsClass)`. Everything random comes from torch's one
generator, whose state is in the checkpoint: a resumed run goes on as if it had not stopped.
"""
import argparse
import copy
import csv
import json
import math
import os
import pathlib
import resource
import time

import numpy as np
import torch

import draw
import png

CL = torch.channels_last
# Options that a resumed run may change.
FREE = {"data", "hours", "steps", "threads", "out", "sample", "sample_seed", "save_minutes", "log_seconds", "settings"}


class Data:
    """Training pictures in memory, uint8 `[n, size, size, 3]`, with `labels` `[n]` and the classes' `names`; none: every label is 0."""

    def __init__(self, pictures, labels, names, flip):
        self.pictures, self.labels, self.names, self.flip = pictures, labels, names, flip

    @classmethod
    def read(cls, folder, size, flip, by_class):
        """Those of a folder that `pinxit datasets export` has written whose `split` is train; with `by_class` off no names."""
        folder = pathlib.Path(folder)
        with open(folder / "labels.csv", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
        if not rows:
            raise SystemExit(f"{folder}: no picture to learn from")
        pictures, names = torch.from_numpy(png.read_all([folder / r["file"] for r in rows], size)), sorted({r["class"] for r in rows})
        if not by_class or len(names) < 2:
            return cls(pictures, torch.zeros(len(rows), dtype=torch.long), [], flip)
        return cls(pictures, torch.tensor([names.index(r["class"]) for r in rows]), names, flip)

    def batch(self, n):
        """Pictures `[n, 3, size, size]` in -1..1, each flipped at a toss, and labels `[n]`; drawn with replacement."""
        rows = draw.randint(0, len(self.pictures), (n,))
        x = self.pictures[rows].permute(0, 3, 1, 2).float() / 127.5 - 1
        if self.flip:
            x = torch.where(draw.rand(n, 1, 1, 1) < 0.5, x.flip(3), x)
        return x.contiguous(memory_format=CL), self.labels[rows]


class Peer:
    """A generator `g`, its moving average, a discriminator `d`, their optimizers, and `numbers` that a checkpoint must keep."""

    name = ""
    defaults: dict = {}
    z_dim = 128
    # Longest half-life of the moving average in thousands of pictures; before, it is 5 % of the pictures shown (ADA, 2006.06676).
    ema_kimg = 10.0

    def __init__(self, o, classes):
        self.o, self.dtype, self.progress, self.steps = o, torch.bfloat16 if o.bf16 else torch.float32, 0.0, 0
        self.numbers: dict[str, float] = {}
        self.build(classes)
        self.average = copy.deepcopy(self.g).requires_grad_(False).eval()

    @staticmethod
    def options(parser):
        """Adds the trainer's own options."""

    def build(self, classes: int):
        """Makes g, d, opt_g and opt_d."""
        raise NotImplementedError

    def step(self, real, labels) -> dict[str, torch.Tensor]:
        """One step of both networks on pictures `[n, 3, size, size]`; the losses by name, detached."""
        raise NotImplementedError

    def settle(self, labels):
        """Called once before painting: what the average must still learn of itself."""

    def z(self, n):
        return draw.randn(n, self.z_dim)

    @torch.no_grad()
    def follow(self, shown):
        """The average, with a half-life in pictures: β = ½^(batch / half-life)."""
        beta = 0.5 ** (self.o.batch / max(1.0, min(self.ema_kimg * 1000, 0.05 * shown)))
        for a, p in zip(self.average.parameters(), self.g.parameters()):
            a.lerp_(p, 1 - beta)
        for a, b in zip(self.average.buffers(), self.g.buffers()):
            a.copy_(b)

    def parts(self):
        return {"g": self.g, "d": self.d, "average": self.average, "opt_g": self.opt_g, "opt_d": self.opt_d}


def adam(module, lr, betas):
    return torch.optim.Adam(module.parameters(), lr=lr, betas=betas, eps=1e-8, fused=True)


def update(optimizer, loss):
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def cosine(start, end, progress):
    """From start to end over a run, `progress` in 0..1."""
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


# ------------------------------------------------------------------------------------------------ checkpoints
def replace(path, write):
    """Writes beside `path`, reaches the disk, then takes its name: a reader sees the old file or the new one."""
    partial = path.with_name(path.name + ".partial")
    with open(partial, "wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def save(path, peer, clock):
    state = {name: part.state_dict() for name, part in peer.parts().items()}
    state |= {"numbers": peer.numbers, "steps": peer.steps, "clock": clock, "random": torch.get_rng_state(), "options": kept(peer.o)}
    replace(path, lambda file: torch.save(state, file))


def load(path, peer):
    """The clock of the run so far; zeros without a checkpoint."""
    if not path.exists():
        return {"seconds": 0.0, "cpu_seconds": 0.0, "images": 0}
    state = torch.load(path, weights_only=True)
    differs = [k for k, v in kept(peer.o).items() if state["options"].get(k) != v]
    if differs:
        raise SystemExit(f"{path} was made with other options ({', '.join(differs)}): give them again or another --out")
    for name, part in peer.parts().items():
        part.load_state_dict(state[name])
    peer.numbers, peer.steps = state["numbers"], state["steps"]
    torch.set_rng_state(state["random"])
    return state["clock"]


def kept(o):
    return {k: v for k, v in vars(o).items() if k not in FREE}


# ------------------------------------------------------------------------------------------------ training and painting
def train(peer, data, out, until=None):
    """Trains to the end of the budget (or `until` steps in all, for tests) and returns the last step's losses.

    The clock counts steps (batch, both networks, average), not the reading of pictures and the writing of checkpoints and log.
    """
    o, path = peer.o, out / "checkpoint.pt"
    clock, losses, logged, saved = load(path, peer), {}, -math.inf, time.monotonic()
    done = lambda: peer.progress >= 1 or (until is not None and peer.steps >= until)
    share = lambda: peer.steps / o.steps if o.steps else clock["seconds"] / max(1e-9, o.hours * 3600)
    with open(out / "log.jsonl", "a") as log:
        peer.progress = share()
        while not done():
            begin, cpu = time.perf_counter(), time.process_time()
            losses = {k: v.item() for k, v in peer.step(*data.batch(o.batch)).items()}
            peer.steps += 1
            clock["images"] += o.batch
            peer.follow(clock["images"])
            clock["seconds"] += time.perf_counter() - begin
            clock["cpu_seconds"] += time.process_time() - cpu
            peer.progress = share()
            finite = all(math.isfinite(v) for v in losses.values())
            if clock["seconds"] - logged >= o.log_seconds or done() or not finite:
                logged = clock["seconds"]
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
                line = {"step": peer.steps, **clock, **losses, **peer.numbers, "peak_mib": memory, "finite": finite}
                log.write(json.dumps({k: round(v, 6) if isinstance(v, float) else v for k, v in line.items()}) + "\n")
                log.flush()
            if not finite:
                raise SystemExit(f"step {peer.steps}: a loss is not finite: {losses}")
            if time.monotonic() - saved > o.save_minutes * 60 or done():
                save(path, peer, clock)
                saved = time.monotonic()
    return losses


@torch.no_grad()
def paint(peer, data, count, seed, folder, batch=64):
    """`count` pictures of the average as PNGs, those of a class in a folder of its name, classes as often as in the training pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in [*folder.glob("[0-9]*.png"), *folder.glob("*/[0-9]*.png")]:
        old.unlink()
    torch.manual_seed(seed)
    peer.settle(data.labels)
    labels = data.labels[draw.randint(0, len(data.labels), (count,))]
    for start in range(0, count, batch):
        some = labels[start : start + batch]
        x = peer.average(peer.z(len(some)), some).float().clamp(-1, 1)
        pixels = ((x + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        for k, picture in enumerate(np.ascontiguousarray(pixels)):
            of_class = folder / data.names[some[k]] if data.names else folder
            of_class.mkdir(exist_ok=True)
            png.write(of_class / f"{start + k:06}.png", picture)


# ------------------------------------------------------------------------------------------------ command line
def parse(peer, arguments=None):
    """Options; those of `--settings` (the sweep's choice, by trainer) lie between the defaults and the flags."""
    p = argparse.ArgumentParser(description=f"Trains {peer.name} and paints with it.")
    p.add_argument("--data", required=True, help="folder written by `pinxit datasets export`, at the training size")
    p.add_argument("--by-class", action=argparse.BooleanOptionalAction, default=True, help="learn the classes, where there are several")
    p.add_argument("--size", type=int, default=64, choices=[32, 64, 128])
    p.add_argument("--hours", type=float, default=1.0, help="of training, wall clock")
    p.add_argument("--steps", type=int, default=0, help="so many steps in place of --hours")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--out", required=True, help="folder; a checkpoint in it is gone on with")
    p.add_argument("--bf16", action="store_true", help="maps and convolutions in bf16; weights, heads, losses and Adam stay f32")
    p.add_argument("--flip", action=argparse.BooleanOptionalAction, default=True, help="training pictures also mirrored")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--width", type=float, default=1.0, help="channels, times this")
    p.add_argument("--sample", type=int, default=0, help="pictures to paint into OUT/samples at the end")
    p.add_argument("--sample-seed", type=int, default=1000)
    p.add_argument("--save-minutes", type=float, default=5.0)
    p.add_argument("--log-seconds", type=float, default=10.0)
    p.add_argument("--settings", help="JSON of sweep.py: defaults for this trainer")
    peer.options(p)
    p.set_defaults(**peer.defaults)
    known, _ = p.parse_known_args(arguments)
    if known.settings:
        p.set_defaults(**json.loads(pathlib.Path(known.settings).read_text())[peer.name]["chosen"])
    return p.parse_args(arguments)


def prepare(peer, o):
    """Threads, precision, seed, pictures, networks, and OUT/options.json."""
    torch.set_num_threads(o.threads)
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(o.seed)
    out = pathlib.Path(o.out)
    out.mkdir(parents=True, exist_ok=True)
    data = Data.read(o.data, o.size, o.flip, o.by_class)
    model = peer(o, len(data.names))
    count = {k: sum(p.numel() for p in m.parameters()) for k, m in (("g", model.g), ("d", model.d))}
    about = {"peer": peer.name, "torch": torch.__version__, "parameters": count, "pictures": len(data.pictures), "classes": data.names}
    text = json.dumps({**about, "options": vars(o)}, indent=1)
    replace(out / "options.json", lambda file: file.write(text.encode()))
    return model, data, out


def main(peer):
    o = parse(peer)
    model, data, out = prepare(peer, o)
    print((out / "options.json").read_text(), flush=True)
    losses = train(model, data, out)
    if o.sample:
        paint(model, data, o.sample, o.sample_seed, out / "samples")
    print(json.dumps({"peer": peer.name, "steps": model.steps, "losses": losses, "out": str(out)}))
