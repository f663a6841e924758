"""Pictures found in a model by pinxit and by a projector in PyTorch of the same steps on the same weights, in alternation.

What was found stands in WORK/project-found.json and is not looked for again: remove it for a new measurement."""
import csv
import json
import math
import pathlib
import shutil
import statistics
import time

import numpy as np
import torch
import torch.nn.functional as F

import common
from model import Model, Rng, saved, tensors

STEPS, STARTS, SAMPLES, TRIED = 300, 4, 2048, 256
GROUPS = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)]
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


class Features:
    """The first taps of MobileNetV2 (Sandler et al. 2018) with the weights that pinxit ships: after blocks 1, 3 and 6."""

    def __init__(self, path):
        self.p = {}
        for name, a in tensors(path)[1].items():
            t = torch.from_numpy(a)
            if t.ndim == 4:
                t = t.permute(3, 2, 0, 1).contiguous()
            elif t.ndim == 3:
                t = t.permute(2, 0, 1)[:, None].contiguous()
            self.p[name] = t
        self.blocks = []
        for expansion, channels, repeats, stride in GROUPS:
            self.blocks += [(expansion, channels, stride if j == 0 else 1) for j in range(repeats)]
        self.blocks = self.blocks[:6]

    def taps(self, x):
        p, out = self.p, []
        conv = lambda x, name, **how: F.conv2d(x, p[f"{name}.weight"], p[f"{name}.bias"], **how)
        x = (x * 0.5 + 0.5 - MEAN[:, None, None]) / STD[:, None, None]
        x = F.relu6(conv(x, "stem", stride=2, padding=1))
        for i, (expansion, channels, stride) in enumerate(self.blocks, 1):
            y = F.relu6(conv(x, f"block.{i}.expand")) if expansion > 1 else x
            y = F.relu6(conv(y, f"block.{i}.depthwise", stride=stride, padding=1, groups=y.shape[1]))
            y = conv(y, f"block.{i}.project")
            x = y + x if stride == 1 and x.shape[1] == channels else y
            out += [x] if i in (1, 3, 6) else []
        return out


def each(x):
    """The mean of everything but the first dimension."""
    return x.mean(tuple(range(1, x.ndim)))


class Likeness:
    def __init__(self, net, target):
        h, w = target.shape[2:]
        side = lambda v: math.ceil(math.ceil(v * 128 / min(h, w)) / 16) * 16
        self.net, self.seen, self.target = net, (side(h), side(w)), self.pyramid(target)
        with torch.no_grad():
            self.taps = [(t, 1 / max(t.double().square().mean().item(), 1e-6)) for t in net.taps(self.resized(target))]

    def resized(self, x):
        return F.interpolate(x, self.seen, mode="bilinear", align_corners=False)

    def pyramid(self, x):
        return [x, F.avg_pool2d(x, 2), F.avg_pool2d(x, 4)]

    def pixels(self, x):
        return sum(each((a - b).square()) for a, b in zip(self.pyramid(x), self.target)) / 3

    def features(self, x):
        return sum(each((a - t).square()) * weight for a, (t, weight) in zip(self.net.taps(self.resized(x)), self.taps)) / 3


class Projector:
    """Adam on w of every stage from the best of 256 samples (Karras et al. 2020; Abdal et al. 2019), step for step what pinxit says it does.
    The four starts go through the network together."""

    def __init__(self, model, net):
        self.model, self.net, self.samples = model, net, model.samples(SAMPLES)
        self.mean, self.spread = self.samples.mean(0, keepdim=True), self.samples.std(0, keepdim=True, correction=0)

    def starts(self, likeness):
        rows = list(range(SAMPLES))
        Rng(0, "projection").shuffle(rows)
        with torch.no_grad():
            tried = self.samples[rows[:TRIED]]
            loss = torch.cat([likeness.pixels(self.model.paint([w] * self.model.stages)) for w in tried.split(32)])
        return (tried[loss.argsort()[:STARTS]] - self.mean) / self.spread.clamp(min=1e-6)

    def find(self, target):
        """The picture that the latents found paint."""
        likeness, stages = Likeness(self.net, target), self.model.stages
        vs, moments, first = [self.starts(likeness)], None, STEPS // 10
        for step in range(STEPS):
            if step == first:
                best = loss.argmin()
                vs, moments = [v[best : best + 1] for v in vs], [[m[best : best + 1] for m in pair] for pair in moments]
            if step == int(STEPS * 0.3):
                vs, moments = vs * stages, [[m.clone() for m in moments[0]] for _ in range(stages)]
            vs = [v.detach().requires_grad_() for v in vs]
            ws = [v * self.spread + self.mean for v in vs]
            picture = self.model.paint([ws[min(i, len(ws) - 1)] for i in range(stages)])
            done, loss = step / STEPS, likeness.pixels(picture)
            if done < 0.7:
                loss = loss + 0.1 * likeness.features(picture)
            loss = loss + sum(each(v.square()) for v in vs) * (1e-4 / len(vs))
            gradients = torch.autograd.grad(loss.sum(), vs)
            rate = 0.08 * (1 if len(vs) == 1 else 0.5) * max(0.5 + 0.5 * math.cos(math.pi * done), 0.02)
            moments = moments or [[torch.zeros_like(v), torch.zeros_like(v)] for v in vs]
            with torch.no_grad():
                for v, (m, s), g in zip(vs, moments, gradients):
                    m.mul_(0.9).add_(g, alpha=0.1)
                    s.mul_(0.99).addcmul_(g, g, value=0.01)
                    v -= rate / (1 - 0.9 ** (step + 1)) * m / ((s / (1 - 0.99 ** (step + 1))).sqrt() + 1e-8)
        with torch.no_grad():
            ws = [v * self.spread + self.mean for v in vs]
            return saved(self.model.paint(ws))[0]


def held_out(exported, count):
    """Patches of works that the model never saw, one a work, in the order of the file."""
    rows = [r for r in csv.DictReader((exported / "labels.csv").open(encoding="utf-8", newline="")) if r["split"] != "train"]
    of_work = {}
    for r in rows:
        of_work.setdefault(r["group"], []).append(r)
    turns = [part[i] for i in range(max(map(len, of_work.values()))) for part in of_work.values() if i < len(part)]
    return [exported / r["file"] for r in turns[:count]]


def targets(pinxit, work, name):
    folder = work / "targets"
    shutil.rmtree(folder, ignore_errors=True)
    pinxit.run("generate", name, "--seeds", "7000-7019", "-o", folder / "painted")
    sets = {"painted by the model": sorted((folder / "painted").glob("*.png"))}
    sets["landscapes held out"] = held_out(work / "landscapes", 20)
    sets["works of the Met"] = held_out(work / "met", 10)
    return sets


def fidelity(pinxit, work, model, paths):
    """How far PyTorch's pictures of the same seeds lie from pinxit's: the greatest difference of 255, and the share of bytes that differ."""
    worst, differ = 0, []
    for path in paths:
        theirs = saved(model.paint([model.w_of_seed(common.recipe(pinxit, path)["seed"])] * model.stages))[0]
        difference = np.abs(common.read(path).astype(int) - theirs.astype(int))
        worst, differ = max(worst, int(difference.max())), [*differ, float((difference > 0).mean())]
    return worst, statistics.mean(differ)


def run(pinxit, work, names):
    torch.set_num_threads(1)
    name = names[0]
    model, sets = Model(pinxit.model(name)), targets(pinxit, work, name)
    worst, differ = fidelity(pinxit, work, model, sets["painted by the model"])
    print(f"the same seeds painted by PyTorch: bytes differ by {worst} at most, {differ:.4%} of them at all", flush=True)
    projector = Projector(model, Features(common.ROOT / "assets/weights/mobilenet_v2.safetensors"))
    notes = work / "project-found.json"
    known = json.loads(notes.read_text(encoding="utf-8")) if notes.exists() else {}
    rows, figures = [], {"greatest difference of bytes": worst, "share of bytes that differ": differ}
    for kind, paths in sets.items():
        found = []
        for path in paths:
            if (done := known.get(f"{kind} {path.name}")):
                found.append(done)
                continue
            target = common.read(path)
            as_tensor = torch.from_numpy(target).permute(2, 0, 1)[None].float() / 127.5 - 1
            result = pinxit.events("explore", "project", name, path, "--steps", STEPS, "-o", work / "projected", "--overwrite")
            ours = common.read(work / "projected" / f"{path.stem}-projected.png")
            wall, cpu = time.perf_counter(), time.process_time()
            theirs = projector.find(as_tensor)
            found.append({
                "picture": path.name, "pinxit": float(common.psnr(target, ours)), "pytorch": float(common.psnr(target, theirs)),
                "features": result["features"], "off_centre": result["off_centre"],
                "seconds": [pinxit.wall, time.perf_counter() - wall], "processor": [pinxit.cpu, time.process_time() - cpu],
            })
            known[f"{kind} {path.name}"] = found[-1]
            notes.write_text(json.dumps(known, indent=1), encoding="utf-8")
            print(kind, path.name, f"{found[-1]['pinxit']:.1f} dB, PyTorch {found[-1]['pytorch']:.1f} dB", found[-1]["processor"], flush=True)
        middle = lambda key: statistics.median(f[key] for f in found)
        span = lambda key: f"{min(f[key] for f in found):.1f}…{max(f[key] for f in found):.1f}"
        seconds = [statistics.median(f["processor"][i] for f in found) for i in (0, 1)]
        ratio = statistics.median(f["processor"][1] / f["processor"][0] for f in found)
        walls = statistics.median(f["seconds"][1] / f["seconds"][0] for f in found)
        rows.append([f"{len(found)} {kind}", f"{middle('pinxit'):.1f} ({span('pinxit')})", f"{middle('pytorch'):.1f} ({span('pytorch')})",
                     f"{middle('off_centre'):.2f}", f"{seconds[0]:.1f}", f"{seconds[1]:.1f}", f"{ratio:.2f}", f"{walls:.2f}"])
        figures[kind] = found
    common.table(["pictures", "pinxit, dB (least…most)", "PyTorch, dB", "off centre", "pinxit, processor s", "PyTorch, processor s",
                  "PyTorch / pinxit, processor", "the same, wall"], rows)
    common.keep(work, "project", figures)
