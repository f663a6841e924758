"""Laps on a CUDA device: each peer for exactly as many steps as a budget of CPU time lets it take, many side by side.

    python lap.py plan plan.json                                           # arms: sets, settings, and an hour's steps
    python lap.py pack DIR SETS/NAME.npz [--no-by-class] [--limit N]      # an exported set, small enough to carry (needs Pillow)
    python lap.py check --sets SETS                                        # each peer: eager steps, graphs, many side by side
    python lap.py work --plan plan.json --sets SETS --out DIR --until EPOCH
    python lap.py collect --out DIR --to FOLDER                            # the best lap of each peer and set, tarred
    python lap.py paint DIR/ARM.json --data DIR --out FOLDER --sample 2000 # on the CPU again: its pictures

How good the pictures are after N steps does not depend on the device that took them; how many steps an hour holds does, and that is
measured on the CPU (README.md). Everything a step needs lies on the device: pictures, the schedules of the whole run as a table, the
step's number, ADA's p, and a tape of random numbers (`draw.py`). So a step is one CUDA graph, and several arms share a process, each
on its own stream. Where a graph cannot be captured, the same steps run one by one.
"""
import argparse
import contextlib
import gc
import io
import json
import os
import pathlib
import sys
import tarfile
import time
import traceback

import numpy as np
import torch

import common
import draw
import layers
from fastgan import FastGAN
from r3gan import R3GAN
import stylegan2_ada
from stylegan2_ada import R1_EVERY, StyleGAN2

PEERS = pathlib.Path(__file__).resolve().parents[1]
SIDE = 32  # a mosaic holds SIDE x SIDE pictures
WARM = 4  # eager steps before a capture; they count


# ------------------------------------------------------------------------------------------------ how many steps, and which arms
# Seconds of one thread for one step in bf16 by the side of the pictures, R1's share included (README.md): an hour of two cores has 7,200.
STEP = {"stylegan2_ada": {64: 0.911, 32: 0.595}, "fastgan": {64: 0.757, 32: 0.423}, "r3gan": {64: 2.087, 32: 1.170}}
# lr and γ that the sweep tries, the trainer's own first. γ 0 is ADA's rule.
ARMS = {
    "r3gan": [(2e-4, 1.0), (5e-4, 1.0), (1e-3, 1.0), (5e-4, 0.2)],
    "stylegan2_ada": [(2.5e-3, 0.0), (2.5e-3, 0.25), (2.5e-3, 1.0), (1e-3, 0.25)],
    "fastgan": [(2e-4, 1.0), (5e-4, 1.0), (1e-3, 1.0), (5e-4, 0.3)],
}
# Sets by side, and the set whose sweep chooses for them: photographs and paintings in patches, objects on plain grounds by class.
SETS = {"fashion": (32, "fluent3d"), "landscapes": (64, "landscapes"), "met": (64, "landscapes"), "fluent3d": (64, "fluent3d")}


def plan(out, hours, sweep):
    """Sweep arms, laps that take the best setting of their sweep, and second laps with the next best if time is left."""
    arms, tried = [], {}

    def arm(name, peer, set, hours, **more):
        size = SETS[set][0]
        steps = round(hours * 7200 / STEP[peer][size])
        arms.append({"name": name, "peer": peer, "set": set, "size": size, "steps": steps, "seed": 1, **more})

    for set in ("landscapes", "fluent3d"):
        for peer, settings in ARMS.items():
            tried[peer, set] = [f"sweep-{peer}-{set}-{lr:g}-{gamma:g}" for lr, gamma in settings]
            for name, (lr, gamma) in zip(tried[peer, set], settings):
                arm(name, peer, set, sweep, settings={"lr": lr, "gamma": gamma})
    for place, kind in enumerate(("lap", "second")):
        for set, (_, source) in SETS.items():
            for peer in ARMS:
                arm(f"{kind}-{peer}-{set}", peer, set, hours, settings=None, after=tried[peer, source], place=place)
    pathlib.Path(out).write_text(json.dumps(arms, indent=0))
    print(f"{len(arms)} arms")


def by_rank(group):
    """Reports of arms, the best mean rank by KID and coverage first; those without a score last."""
    worse = {"kid": 1e9, "coverage": -1.0}
    score = lambda a: a["scores"] if a["scores"] and a["finite"] else worse
    rank = lambda a: sum((score(b)["kid"] < score(a)["kid"]) + (score(b)["coverage"] > score(a)["coverage"]) for b in group)
    return sorted(group, key=rank)


# ------------------------------------------------------------------------------------------------ sets that travel
def pack(folder, out, by_class, limit):
    """Training pictures as lossless mosaics, a third smaller than PNGs."""
    import csv

    from PIL import Image

    folder = pathlib.Path(folder)
    with open(folder / "labels.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
    if limit and limit < len(rows):
        rows = [rows[i] for i in sorted(np.random.default_rng(0).permutation(len(rows))[:limit])]
    x = np.stack([np.asarray(Image.open(folder / r["file"]).convert("RGB")) for r in rows])
    names = sorted({r["class"] for r in rows}) if by_class else []
    names = names if len(names) > 1 else []
    held = {"labels": np.array([names.index(r["class"]) if names else 0 for r in rows]), "names": np.array(names, dtype=str)}
    size = x.shape[1]
    for k, start in enumerate(range(0, len(x), SIDE * SIDE)):
        part = np.zeros((SIDE * SIDE, size, size, 3), np.uint8)
        part[: len(x) - start] = x[start : start + SIDE * SIDE]
        mosaic = part.reshape(SIDE, SIDE, size, size, 3).transpose(0, 2, 1, 3, 4).reshape(SIDE * size, SIDE * size, 3)
        file = io.BytesIO()
        Image.fromarray(mosaic).save(file, "WEBP", lossless=True, quality=100, method=4, exact=True)
        held[f"mosaic{k:03}"] = np.frombuffer(file.getvalue(), np.uint8)
    np.savez(out, **held)
    back = unpack(out, True, "cpu")
    assert np.array_equal(back.pictures.numpy(), x), "the mosaics are not lossless"
    print(f"{out}: {len(x)} pictures, {len(names)} classes, {os.path.getsize(out)} bytes")


def unpack(path, flip, device):
    from PIL import Image

    held = np.load(path)
    labels, parts = held["labels"], []
    for name in sorted(n for n in held.files if n.startswith("mosaic")):
        mosaic = np.asarray(Image.open(io.BytesIO(held[name].tobytes())).convert("RGB"))
        size = len(mosaic) // SIDE
        parts.append(mosaic.reshape(SIDE, size, SIDE, size, 3).transpose(0, 2, 1, 3, 4).reshape(-1, size, size, 3))
    pictures = torch.from_numpy(np.concatenate(parts)[: len(labels)].copy())
    return common.Data(pictures.to(device), torch.from_numpy(labels).long().to(device), held["names"].tolist(), flip)


# ------------------------------------------------------------------------------------------------ peers whose numbers lie on the device
class Scheduled:
    """Adam with β₁ = 0 whose learning rate and β₂ are tensors, as R3GAN's schedules ask for; the arithmetic of torch.optim.Adam."""

    def __init__(self, module):
        self.params = list(module.parameters())
        self.v = [torch.zeros_like(p) for p in self.params]
        self.t = torch.zeros((), device=self.params[0].device)
        self.lr = self.beta = None

    def zero_grad(self, set_to_none=True):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        grads = [p.grad for p in self.params]
        self.t += 1
        torch._foreach_mul_(self.v, self.beta)
        squares = torch._foreach_mul(grads, grads)
        torch._foreach_mul_(squares, 1 - self.beta)
        torch._foreach_add_(self.v, squares)
        below = torch._foreach_sqrt(self.v)
        torch._foreach_div_(below, (1 - self.beta**self.t).sqrt())
        torch._foreach_add_(below, 1e-8)
        move = torch._foreach_div(grads, below)
        torch._foreach_mul_(move, self.lr)
        torch._foreach_sub_(self.params, move)


class OnDevice:
    """What a peer does otherwise when its numbers lie on the device. `table` `[steps, 5]`: the average's pace, γ, p, lr and β₂."""

    def move(self, device, steps):
        for module in (self.g, self.d, self.average):
            module.to(device)
        self.counter, rows = torch.zeros(1, dtype=torch.long, device=device), []
        for k in range(steps + R1_EVERY):
            shown = (k + 1) * self.o.batch
            pace = 1 - 0.5 ** (self.o.batch / max(1.0, min(self.ema_kimg * 1000, 0.05 * shown)))
            rows.append([pace, *self.scheduled(k / steps)])
        self.table = torch.tensor(rows, dtype=torch.float32, device=device)
        self.followed = list(self.average.parameters()), list(self.g.parameters())
        self.copied = list(self.average.buffers()), list(self.g.buffers())
        self.settled(device)

    def scheduled(self, progress):
        return [0.0] * 4

    def settled(self, device):
        for optimizer in (self.opt_g, self.opt_d):
            for group in optimizer.param_groups:
                group["capturable"] = device.type == "cuda"

    def whole(self, data):
        """One step with everything that belongs to it."""
        self.row = self.table.index_select(0, self.counter)[0]
        losses = self.step(*data.batch(self.o.batch))
        with torch.no_grad():
            average, now = self.followed
            gap = torch._foreach_sub(now, average)
            torch._foreach_mul_(gap, self.row[0])
            torch._foreach_add_(average, gap)
            for a, b in zip(*self.copied):
                a.copy_(b)
            self.counter += 1
        return losses


class FastGANOnDevice(OnDevice, FastGAN):
    pass


class R3GANOnDevice(OnDevice, R3GAN):
    def scheduled(self, progress):
        at = lambda start, end: common.cosine(start, end, progress / max(1e-9, self.o.burn_in))
        return [at(self.o.gamma, self.o.gamma / 10), at(0.0, self.o.augment), at(self.o.lr, self.o.lr / 4), at(0.9, 0.99)]

    def settled(self, device):
        self.opt_g, self.opt_d = Scheduled(self.g), Scheduled(self.d)

    def anneal(self):
        self.numbers = {"gamma": self.row[1], "p": self.row[2]}
        for optimizer in (self.opt_g, self.opt_d):
            optimizer.lr, optimizer.beta = self.row[3], self.row[4]


class StyleGAN2OnDevice(OnDevice, StyleGAN2):
    def settled(self, device):
        super().settled(device)
        self.numbers = {"p": torch.zeros((), device=device), "signs": torch.zeros((), device=device)}
        self.pace = torch.tensor(4 * self.o.batch / (self.o.ada_kimg * 1000), device=device)

    @torch.no_grad()
    def adapt(self, scores):
        now, turn = self.numbers, (self.counter[0] % 4 == 3).float()
        now["signs"] += scores.detach().sign().mean() / 4
        moved = (now["p"] + torch.copysign(self.pace, now["signs"] - self.o.ada_target)).clamp(0, 1)
        now["p"].lerp_(moved, turn)
        now["signs"] *= 1 - turn


KINDS = {p.name: p for p in (StyleGAN2OnDevice, FastGANOnDevice, R3GANOnDevice)}


# ------------------------------------------------------------------------------------------------ one arm
class Lap:
    """One peer on one set with one setting, on a stream of its own."""

    def __init__(self, arm, data, device, graphs=True):
        self.arm, self.data, self.device, self.wanted = arm, data, device, graphs
        flags = ["--data", "-", "--out", "-", "--bf16", "--size", str(data.pictures.shape[1]), "--steps", str(arm["steps"])]
        flags += ["--seed", str(arm["seed"]), *(f"--{k}={v}" for k, v in arm["settings"].items())]
        self.o = common.parse(KINDS[arm["peer"]], flags)
        draw.use("cpu")
        torch.manual_seed(arm["seed"])
        self.peer = KINDS[arm["peer"]](self.o, len(data.names))
        self.peer.move(device, arm["steps"])
        self.tape = draw.Tape(device)
        self.generator = torch.Generator(device).manual_seed(arm["seed"])
        self.stream = torch.cuda.Stream() if device.type == "cuda" else None
        if self.stream:
            torch.cuda.current_stream().synchronize()
        self.graphs, self.losses, self.done, self.log, self.events, self.why = {}, {}, 0, [], [], ""
        self.began, self.logged = time.time(), 0.0

    def on(self):
        return torch.cuda.stream(self.stream) if self.stream else contextlib.nullcontext()

    def kind(self):
        """R1's steps are another graph."""
        return "r1" if self.arm["peer"] == "stylegan2_ada" and self.done % R1_EVERY == 0 else "plain"

    def eager(self):
        draw.use(self.device, self.tape)
        self.peer.steps = self.done
        self.losses[self.kind()] = self.peer.whole(self.data)

    def prepare(self):
        """Some eager steps, then the graphs. They are of the run, so nothing is lost."""
        for _ in range(WARM):
            with self.on():
                self.tape.refill(self.generator)
                self.eager()
                if self.done == 0:
                    self.tape.trim(1.0)
            self.done += 1
        self.sync()
        if self.stream and self.wanted:
            try:
                self.capture()
            except Exception as error:  # steps then run one by one
                self.graphs, self.why = {}, repr(error)[-400:]
                print("no graph:", self.arm["name"], self.why, flush=True)
                self.sync()

    def capture(self):
        draw.use(self.device, self.tape)
        for kind, step in (("plain", 1), ("r1", 0)):
            if kind == "r1" and self.arm["peer"] != "stylegan2_ada":
                continue
            self.tape.rewind()
            self.peer.steps = step
            graph = torch.cuda.CUDAGraph()
            # not torch.cuda.graph: that waits for the whole device, other arms too
            with self.on():
                self.stream.synchronize()
                graph.capture_begin(capture_error_mode="thread_local")
                try:
                    losses = self.peer.whole(self.data)
                finally:
                    graph.capture_end()
            self.graphs[kind], self.losses[kind] = graph, losses

    def sync(self):
        if self.stream:
            self.stream.synchronize()

    def launch(self, count):
        with self.on():
            for _ in range(min(count, self.arm["steps"] - self.done)):
                self.tape.refill(self.generator)
                if self.graphs:
                    self.graphs[self.kind()].replay()
                else:
                    self.eager()
                self.done += 1
            if self.stream:
                self.events.append(torch.cuda.Event())
                self.events[-1].record()

    def busy(self, deep=2):
        self.events = [e for e in self.events if not e.query()]
        return len(self.events) >= deep

    def finished(self):
        return self.done >= self.arm["steps"]

    def note(self, every):
        """A line of the log; waits for this arm's stream alone. False when a loss is not finite."""
        if time.time() - self.logged < every:
            return True
        self.logged = time.time()
        with self.on():
            line = {k: v.item() for k, v in self.losses["plain"].items()}
            line |= {k: float(v) for k, v in self.peer.numbers.items()}
        self.log.append({"step": self.done, "seconds": round(time.time() - self.began, 1), **{k: round(v, 5) for k, v in line.items()}})
        return all(np.isfinite(v) for v in line.values())

    @torch.no_grad()
    def paint(self, count, batch=250):
        """uint8 `[count, size, size, 3]` of the average, on the device."""
        with self.on():
            draw.use(self.device)
            torch.manual_seed(self.arm["seed"] + 1000)
            self.peer.settle(self.data.labels)
            labels, out = self.data.labels[draw.randint(0, len(self.data.labels), (count,))], []
            for start in range(0, count, batch):
                some = labels[start : start + batch]
                x = self.peer.average(self.peer.z(len(some)), some).float().clamp(-1, 1)
                out.append(((x + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1))
            out = torch.cat(out)
        self.sync()
        return out


# ------------------------------------------------------------------------------------------------ scores on the device, to choose by
class Scores:
    """KID and coverage against the training pictures in MobileNetV2's features. They choose among arms; what is reported is measured
    by `pinxit evaluate`, and agreed (0.580 here, 0.565 there, for a FastGAN of landscapes)."""

    def __init__(self, device, count):
        sys.path.insert(0, str(PEERS))
        import nets

        self.device, self.count, self.known = device, count, {}
        weights = nets.folded(PEERS.parents[1] / "assets/weights/mobilenet_v2.safetensors")
        self.net = nets.FeatureNet({k: v.to(device) for k, v in weights.items()})

    @torch.no_grad()
    def features(self, pictures, batch=250):
        out = []
        for start in range(0, len(pictures), batch):
            x = pictures[start : start + batch].permute(0, 3, 1, 2).float() / 127.5 - 1
            x = torch.nn.functional.interpolate(x, size=(128, 128), mode="bilinear", align_corners=False)
            with torch.device(self.device):
                out.append(self.net.pooled(x))
        return torch.cat(out)

    @torch.no_grad()
    def real(self, name, data):
        if name not in self.known:
            rows = torch.from_numpy(np.random.default_rng(1).permutation(len(data.pictures))[: self.count]).to(self.device)
            f = self.features(data.pictures[rows])
            self.known[name] = f, torch.cdist(f, f).topk(6, largest=False).values[:, 5]
        return self.known[name]

    @torch.no_grad()
    def __call__(self, name, data, pictures):
        real, reach = self.real(name, data)
        fake = self.features(pictures[: len(real)])
        k = lambda a, b: (a.double() @ b.double().t() / a.shape[1] + 1) ** 3
        inside = lambda m: (m.sum() - m.diagonal().sum()) / (len(m) * (len(m) - 1))
        kid = inside(k(real, real)) + inside(k(fake, fake)) - 2 * k(real, fake).mean()
        far = torch.cdist(real, fake)
        return {
            "kid": kid.item(),
            "coverage": (far.min(1).values < reach).float().mean().item(),
            "precision": (far < reach[:, None]).any(0).float().mean().item(),
        }


# ------------------------------------------------------------------------------------------------ a worker
def half(module):
    out = {}
    for k, v in module.state_dict().items():
        v = v.detach().cpu()
        out[k] = (v.half() if v.is_floating_point() else v).contiguous().numpy()
    return out


def name(device):
    return torch.cuda.get_device_name() if device.type == "cuda" else "cpu"


def keep(lap, scores, out, ok=True, count=2000):
    """Weights of the average in f16 and what is known of the run; a failed score loses no run."""
    arm = dict(lap.arm, reached=lap.done, images=lap.done * lap.o.batch, finite=ok, graphs=sorted(lap.graphs), why=lap.why)
    arm |= {"classes": len(lap.data.names) > 0, "device": name(lap.device), "torch": torch.__version__}
    arm |= {"seconds": round(time.time() - lap.began, 1), "log": lap.log, "scores": None}
    lap.sync()
    try:
        if not scores:
            raise ValueError("not scored: saved on the way")
        pictures = lap.paint(count)
        arm["scores"] = scores(lap.arm["set"], lap.data, pictures)
        grid = pictures[:64].cpu().numpy()
        arm["spread"] = float(grid.std())
        np.savez(out / (lap.arm["name"] + ".grid.npz"), grid)
    except Exception:
        arm["why"] += traceback.format_exc()[-400:]
    np.savez(out / (lap.arm["name"] + ".npz"), **half(lap.peer.average))
    (out / (lap.arm["name"] + ".json")).write_text(json.dumps(arm, indent=1))
    text = f"{lap.arm['name']}: {lap.done} of {lap.arm['steps']} steps, {arm['seconds']} s"
    print(text, "graphs", arm["graphs"], arm["scores"], flush=True)


def claim(plan, peer, out, active, left, pace):
    """The next arm that no worker has and whose sweep is over. Second laps only when no lap is under way and one would still end
    (`pace`: seconds a step of the last whole laps)."""
    for arm in plan:
        if (peer and arm["peer"] != peer) or (out / (arm["name"] + ".claim")).exists():
            continue
        if arm.get("place") and (any(not lap.arm.get("place") for lap in active) or pace.get(arm["peer"], 1) * arm["steps"] > left):
            continue
        if "after" in arm:
            reports = [out / (name + ".json") for name in arm["after"]]
            if not all(p.exists() for p in reports):
                continue
            ranked = by_rank([json.loads(p.read_text()) for p in reports])
            arm = arm | {"settings": ranked[arm["place"]]["settings"]}
        try:
            os.close(os.open(out / (arm["name"] + ".claim"), os.O_CREAT | os.O_EXCL))
            return arm
        except FileExistsError:
            continue
    return None


def work(o):
    device, out = torch.device(o.device), pathlib.Path(o.out)
    out.mkdir(parents=True, exist_ok=True)
    setup(o)
    plan, sets, pace, active = json.loads(pathlib.Path(o.plan).read_text()), {}, {}, []
    scores, began = Scores(device, o.reals), time.time()
    more, snapshot = True, o.snapshot
    while time.time() < o.until:
        # one new arm at a time; the others get some tenths of a second of work before
        if more and len(active) < o.slots:
            arm = claim(plan, o.peer, out, active, o.until - time.time(), pace)
            more = arm is not None
            if not more:
                continue
            feed(active, o.ahead)
            try:
                if arm["set"] not in sets:
                    sets[arm["set"]] = unpack(pathlib.Path(o.sets) / (arm["set"] + ".npz"), True, device)
                    scores.real(arm["set"], sets[arm["set"]])
                lap = Lap(arm, sets[arm["set"]], device, o.graphs)
                lap.prepare()
                active.append(lap)
            except Exception:
                print("failed:", arm["name"], traceback.format_exc(), flush=True)
                failed = arm | {"scores": None, "finite": False, "reached": 0, "why": traceback.format_exc()[-400:]}
                (out / (arm["name"] + ".json")).write_text(json.dumps(failed))
        if not active:
            if more:
                continue
            break
        if snapshot and time.time() > snapshot:  # in case the end is not reached
            snapshot = 0
            for lap in active:
                keep(lap, None, out)
        idle = True
        for lap in list(active):
            if lap.busy():
                continue
            idle = False
            lap.launch(o.chunk)
            ok = lap.note(o.log_seconds)
            if lap.finished() or not ok:
                active.remove(lap)
                feed(active, o.ahead)
                keep(lap, scores, out, ok, o.reals)
                more = True
                gc.collect()
                pace[lap.arm["peer"]] = (time.time() - lap.began) / lap.done
        if idle:
            time.sleep(0.0001)
    for lap in active:
        keep(lap, scores, out, count=o.reals)
    print(f"{o.peer or 'all'}: worker ends after {time.time() - began:.0f} s", flush=True)


def feed(active, count):
    for lap in active:
        lap.launch(count)


def setup(o):
    gc.disable()  # what it frees must not fall into a capture
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = o.benchmark
    layers.DENSE, stylegan2_ada.FUSE = o.dense, o.device == "cuda"


# ------------------------------------------------------------------------------------------------ the check before a run
def side_by_side(laps, seconds, chunk):
    """Steps a second of all together, by peer, and the share of the time in which the host was not waiting."""
    before, t, waiting = [lap.done for lap in laps], time.time(), 0.0
    while time.time() - t < seconds:
        idle = True
        for lap in laps:
            if not lap.busy():
                idle = False
                lap.launch(chunk)
        if idle:
            time.sleep(0.0001)
            waiting += 0.00016
    for lap in laps:
        lap.sync()
    took, rate = time.time() - t, {}
    for lap, b in zip(laps, before):
        rate[lap.arm["peer"]] = rate.get(lap.arm["peer"], 0) + (lap.done - b) / took
    return {k: round(v, 1) for k, v in rate.items()}, round(1 - waiting / took, 2)


def profile(lap):
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as watch

    with watch(activities=[ProfilerActivity.CUDA]) as seen:
        lap.launch(4)
        lap.sync()
    rows = sorted(seen.key_averages(), key=lambda e: -e.self_device_time_total)
    took = sum(e.self_device_time_total for e in rows) / 4000
    print(lap.arm["name"], sum(e.count for e in rows) / 4, f"kernels, {took:.2f} ms a step", flush=True)
    for e in rows[:9]:
        print(f"    {e.self_device_time_total / 4000:.3f} ms {e.count / 4:6.1f} {e.key[:110]}", flush=True)


def check(o):
    """Each peer: its steps eagerly and from graphs, cuDNN's and our ways to convolve, kernels, and many arms side by side."""
    device = torch.device(o.device)
    setup(o)
    data = unpack(pathlib.Path(o.sets) / (o.set + ".npz"), True, device)
    began, ready = time.time(), []
    since = lambda: f"[{time.time() - began:5.1f} s]"

    def one(peer, what, graphs=True):
        size = data.pictures.shape[1]
        arm = {"peer": peer, "set": o.set, "name": f"{peer} {what}", "steps": 100000, "seed": 1, "settings": {}, "size": size}
        try:
            t = time.time()
            lap = Lap(arm, data, device, graphs)
            lap.prepare()
            took = time.time() - t
            lap.launch(o.times // 4), lap.sync()
            t = time.time()
            lap.launch(o.times)
            host = time.time() - t
            lap.sync()
            rate, last = o.times / (time.time() - t), {k: round(v.item(), 4) for k, v in lap.losses["plain"].items()}
            text = f"ready {took:.1f} s, {rate:.1f} steps/s, host {host / o.times * 1e3:.2f} ms a step"
            print(since(), peer, what, text, last, lap.why, flush=True)
            return lap
        except Exception:
            print(since(), peer, what, "FAILED", traceback.format_exc()[-900:], flush=True)

    for peer in KINDS:
        ready.append(one(peer, "graph"))
    for lap in ready:
        profile(lap) if lap and lap.stream else None
    for k in range(1, o.slots):
        ready += [one(peer, "again") for peer in KINDS]
    ready = [lap for lap in ready if lap]
    for count in (3, 6, 12, 18, 24, 30):
        if count <= len(ready):
            print(since(), count, "side by side:", *side_by_side(ready[:count], o.seconds, o.chunk), flush=True)
    del ready
    gc.collect()
    layers.DENSE = True
    one("r3gan", "dense")
    torch.backends.cudnn.benchmark = True
    for peer in ("r3gan", "stylegan2_ada", "fastgan"):
        last = one(peer, "dense and benchmark")
    layers.DENSE = False
    last = one("r3gan", "benchmark")
    profile(last) if last and last.stream else None
    one("stylegan2_ada", "eager", False)
    print(since(), "end", torch.cuda.max_memory_allocated() >> 20 if device.type == "cuda" else "", "MiB", flush=True)


# ------------------------------------------------------------------------------------------------ afterwards
def collect(o):
    """Chooses for each peer and set the arm of the best mean rank by KID and coverage, and tars the chosen weights and all reports."""
    out, to = pathlib.Path(o.out), pathlib.Path(o.to)
    to.mkdir(parents=True, exist_ok=True)
    arms = [json.loads(p.read_text()) for p in sorted(out.glob("*-*.json"))]
    groups = {}
    for arm in arms:
        if "after" in arm and arm["reached"]:
            groups.setdefault((arm["peer"], arm["set"]), []).append(arm)
    chosen = []
    for group in groups.values():
        whole = [a for a in group if a["scores"] and a["finite"] and a["reached"] >= a["steps"]]
        # without a whole one, that which came furthest
        chosen.append((by_rank(whole) or sorted(group, key=lambda a: -a["reached"]))[0]["name"])
    (out / "chosen.json").write_text(json.dumps(chosen, indent=1))
    files = sorted((p for name in chosen if (p := out / (name + ".npz")).exists()), key=lambda p: -p.stat().st_size)
    boxes = []
    for path in files:
        box = next((b for b in boxes if sum(p.stat().st_size for p in b) + path.stat().st_size < 15.5 * 2**20), None)
        boxes.append([path]) if box is None else box.append(path)
    for k, box in enumerate(boxes[:7]):
        with tarfile.open(to / f"weights{k}.tar", "w") as tar:
            for path in box:
                tar.add(path, path.name)
    with tarfile.open(to / "reports.tar.gz", "w:gz") as tar:
        for path in [*out.glob("*.json"), *out.glob("*.log"), *(out / (n + ".grid.npz") for n in chosen)]:
            if path.exists():
                tar.add(path, path.name)
    for arm in arms:
        mark = "CHOSEN" if arm["name"] in chosen else ""
        print(arm["name"], arm["settings"], f"{arm['reached']}/{arm['steps']}", arm["scores"], mark, flush=True)
    print({p.name: p.stat().st_size for p in to.iterdir()})


def paint(o):
    """Pictures of a chosen arm as PNGs, classes in folders: `common.paint`, on the CPU."""
    path = pathlib.Path(o.arm)
    arm, held = json.loads(path.read_text()), np.load(path.with_suffix(".npz"))
    torch.set_num_threads(o.threads)
    flags = ["--data", o.data, "--out", o.out, "--bf16", "--size", str(arm["size"]), *([] if arm["classes"] else ["--no-by-class"])]
    options = common.parse(KINDS[arm["peer"]], flags)
    data = common.Data.read(o.data, arm["size"], True, arm["classes"])
    peer = KINDS[arm["peer"]](options, len(data.names))
    peer.average.load_state_dict({k: torch.from_numpy(held[k]).to(v.dtype) for k, v in peer.average.state_dict().items()})
    common.paint(peer, data, o.sample, 1000, pathlib.Path(o.out))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    todo = p.add_subparsers(dest="todo", required=True)
    one = todo.add_parser("plan")
    one.add_argument("file"), one.add_argument("--hours", type=float, default=1.0)
    one.add_argument("--sweep", type=float, default=0.1, help="hours of each trial")
    one = todo.add_parser("pack")
    one.add_argument("folder"), one.add_argument("file"), one.add_argument("--limit", type=int, default=0)
    one.add_argument("--by-class", action=argparse.BooleanOptionalAction, default=True)
    for name in ("check", "work"):
        one = todo.add_parser(name)
        one.add_argument("--sets", required=True), one.add_argument("--device", default="cuda")
        one.add_argument("--peer", choices=sorted(KINDS), help="this one alone")
        one.add_argument("--slots", type=int, default=12, help="arms side by side"), one.add_argument("--chunk", type=int, default=4)
        one.add_argument("--benchmark", action="store_true", help="cuDNN tries its algorithms")
        one.add_argument("--dense", action="store_true", help="grouped convolutions as dense ones")
        one.add_argument("--graphs", action=argparse.BooleanOptionalAction, default=True)
        if name == "check":
            one.add_argument("--set", default="landscapes"), one.add_argument("--times", type=int, default=40)
            one.add_argument("--seconds", type=float, default=4)
        else:
            one.add_argument("--plan", required=True), one.add_argument("--out", required=True)
            one.add_argument("--until", type=float, required=True, help="seconds since 1970")
            one.add_argument("--snapshot", type=float, default=0.0, help="when all weights are saved once on the way")
            one.add_argument("--ahead", type=int, default=8)
            one.add_argument("--reals", type=int, default=2000), one.add_argument("--log-seconds", type=float, default=10)
    one = todo.add_parser("collect")
    one.add_argument("--out", required=True), one.add_argument("--to", required=True)
    one = todo.add_parser("paint")
    one.add_argument("arm"), one.add_argument("--data", required=True), one.add_argument("--out", required=True)
    one.add_argument("--sample", type=int, default=2000), one.add_argument("--threads", type=int, default=1)
    o = p.parse_args()
    if o.todo == "plan":
        plan(o.file, o.hours, o.sweep)
    elif o.todo == "pack":
        pack(o.folder, o.file, o.by_class, o.limit)
    else:
        {"check": check, "work": work, "collect": collect, "paint": paint}[o.todo](o)


if __name__ == "__main__":
    main()
