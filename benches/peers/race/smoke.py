"""Do the three trainers still train, resume and paint? Synthetic pictures of 32 px, batch 4, a few steps: `python smoke.py`, under a minute.

For each trainer: finite losses in f32 with classes; a run stopped after 3 of 5 steps and resumed ends with the same losses and weights
as one that was not stopped; painted PNGs read back; two steps in bf16 without classes, with every branch that f32 left out. And what
`lap.py` does otherwise on a CUDA device (numbers in tensors, a tape, its own Adam, fused filters, dense groups) is the same function,
checked here on the CPU.
"""
import json
import math
import pathlib
import tempfile
import time

import numpy as np
import torch

import augment
import common
import draw
import lap
import layers
import png
import stylegan2_ada
from fastgan import FastGAN
from layers import slopes
from r3gan import R3GAN, Discriminator
from stylegan2_ada import StyleGAN2

PEERS = [StyleGAN2, FastGAN, R3GAN]
# Options that the second, bf16 run adds.
BRANCHES = {
    "stylegan2_ada": ["--augment", "diffaugment", "--path", "2"],
    "fastgan": ["--recon", "features", "--policy", "color,translation,cutout"],
    "r3gan": ["--augment", "0"],
}


def pictures(folder, count=24, size=32):
    """Discs (class a) and bars (class b) of random colours, as `pinxit datasets export` writes them; the last four are held out."""
    folder.mkdir()
    draw, rows = np.random.default_rng(0), ["file,class,split"]
    y, x = np.mgrid[:size, :size]
    for i in range(count):
        a, b = draw.integers(0, 256, (2, 3), np.uint8)
        inside = (x - 16) ** 2 + (y - 16) ** 2 < draw.integers(30, 200) if i % 2 == 0 else abs(x - draw.integers(4, 28)) < 4
        png.write(folder / f"{i:02}.png", np.where(inside[..., None], a, b).astype(np.uint8))
        rows.append(f"{i:02}.png,{'ab'[i % 2]},{'train' if i < count - 4 else 'held-out'}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")


def run(peer, home, name, *more, until=None, steps=5):
    """The trainer's command line without the process: model, data, output folder, last losses."""
    flags = ["--data", home / "set", "--size", 32, "--steps", steps, "--threads", 1, "--batch", 4, "--out", home / name]
    o = common.parse(peer, [str(a) for a in [*flags, *more]])
    model, pool, out = common.prepare(peer, o)
    return model, pool, out, common.train(model, pool, out, until)


def check(peer, home):
    began = time.perf_counter()
    straight, _, _, losses = run(peer, home, peer.name + "-straight")
    run(peer, home, peer.name, until=3)
    resumed, data, out, again = run(peer, home, peer.name)
    assert losses == again and all(map(math.isfinite, losses.values())), (losses, again)
    for a, b in zip(straight.parts()["average"].parameters(), resumed.parts()["average"].parameters()):
        assert torch.equal(a, b), "the average differs after resuming"
    common.paint(resumed, data, 5, 7, out / "samples")
    painted = png.read_all(sorted((out / "samples").glob("*/*.png")), 32)
    assert painted.shape == (5, 32, 32, 3) and painted.std() > 0
    assert [json.loads(line)["step"] for line in open(out / "log.jsonl")][-1] == 5
    bf16 = run(peer, home, peer.name + "-bf16", "--bf16", "--no-by-class", *BRANCHES[peer.name], steps=2)[3]
    count = [sum(p.numel() for p in m.parameters()) for m in (straight.g, straight.d)]
    show = lambda d: " ".join(f"{k} {v:.4f}" for k, v in d.items())
    print(f"{peer.name}: {show(losses)}; resumed the same; bf16 {show(bf16)}; G {count[0]:,} D {count[1]:,}; "
          f"{time.perf_counter() - began:.1f} s", flush=True)  # fmt: skip


def check_r1():
    """Double backward against a finite difference of the penalty, in f64, for one weight of a grouped convolution of R3GAN's D."""
    torch.manual_seed(0)
    d = Discriminator(32, 0, 0.25, torch.float64).double()
    for p in d.parameters():
        p.data += 0.1 * torch.randn_like(p)
    x, weight, place, step = torch.randn(2, 3, 32, 32).double().requires_grad_(True), d.stages[0][0].grouped.weight, (5, 2, 0, 1), 1e-6
    penalty = lambda: slopes(d(x, None), x).sum()
    exact, ends = torch.autograd.grad(penalty(), weight)[0][place].item(), []
    for move in (step, -2 * step):
        weight.data[place] += move
        ends.append(penalty().item())
    numeric = (ends[0] - ends[1]) / (2 * step)
    assert abs(exact - numeric) < 1e-5 * abs(numeric), (exact, numeric)
    print(f"R1 by double backward {exact:.6e}, by finite difference {numeric:.6e}", flush=True)


def check_augment():
    """Shapes, a neutral p = 0, gradients, and that a picture of one grey stays finite at p = 1."""
    x = torch.zeros(8, 3, 32, 32, requires_grad=True)
    assert augment.ada(x, 0.0) is x
    for y in (augment.ada(x, 1.0), augment.diff_augment(x, ["color", "translation", "cutout"])):
        y.sum().backward()
        assert y.shape == x.shape and y.isfinite().all() and x.grad.isfinite().all()


def check_device(peer):
    """`lap.py`'s form of a peer against the peer itself: the same weights after three steps from the same tape, in f32."""
    data = common.Data(torch.randint(0, 256, (20, 32, 32, 3), dtype=torch.uint8), torch.randint(0, 2, (20,)), ["a", "b"], True)
    arm = {"peer": peer.name, "set": "", "name": "", "steps": 20, "seed": 1, "size": 32, "settings": {"batch": 4, "width": 0.5}}
    run, o = lap.Lap(arm, data, torch.device("cpu")), common.parse(peer, ["--data=-", "--out=-", "--size=32", "--batch=4", "--width=0.5"])
    run.peer.dtype = run.peer.g.dtype = run.peer.d.dtype = torch.float32
    draw.use("cpu")
    torch.manual_seed(1)
    plain, tape, numbers = peer(o, 2), draw.Tape("cpu"), torch.Generator().manual_seed(1)
    if peer is StyleGAN2:
        plain.numbers["p"] = 0.3
        run.peer.numbers["p"].fill_(0.3)
    run.peer.counter.fill_(1)  # at 0 R3GAN's p is 0, and a number's 0 draws nothing
    for k in range(1, 4):
        run.tape.refill(run.generator)
        run.done = k
        run.eager()
        tape.refill(numbers)
        draw.use("cpu", tape)
        plain.progress, plain.steps = k / 20, k
        plain.step(*data.batch(4))
        plain.follow((k + 1) * 4)
    draw.use("cpu")
    far = max((a - b).abs().max().item() for a, b in zip(plain.average.parameters(), run.peer.average.parameters()))
    assert far < 1e-4, (peer.name, far)
    return far


def check_fused():
    """StyleGAN2's filter inside the convolutions, and dense groups: scores, penalty and all gradients."""
    g, d = stylegan2_ada.Generator(32, 8, 0, 0.25, torch.float32), stylegan2_ada.Discriminator(32, 0, 0.25, torch.float32)
    z, x, wide = torch.randn(4, 8), torch.randn(4, 3, 32, 32), layers.Conv(32, 32, 3, groups=2)

    def all_of(yes):
        stylegan2_ada.FUSE = layers.DENSE = yes
        torch.manual_seed(0)
        leaf, y = x.clone().requires_grad_(True), g(z, None)
        scores = d(leaf, None)
        penalty = slopes(scores, leaf).mean()
        grads = torch.autograd.grad(penalty + y.square().mean(), [*d.parameters(), *g.parameters()], allow_unused=True)
        return [y, scores, penalty, wide(torch.randn(2, 32, 8, 8)), *(v for v in grads if v is not None)]

    for a, b in zip(all_of(False), all_of(True)):
        assert (a - b).norm() <= 3e-3 * a.norm() + 1e-6, ((a - b).norm(), a.norm())  # a kink may fall to the other side
    stylegan2_ada.FUSE = layers.DENSE = False


def main():
    began = time.perf_counter()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder)
        pictures(home / "set")
        check_augment()
        check_r1()
        check_fused()
        print("as on a device, averages differ by", ", ".join(f"{p.name} {check_device(p):.1e}" for p in PEERS), flush=True)
        for peer in PEERS:
            check(peer, home)
    print(f"smoke: all well in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
