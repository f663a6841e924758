"""Fifty random drags of 3 to 6 px: does the point arrive? pinxit's own word; where PyTorch finds it in the last map; and two judges who see the
pictures alone, by a patch of colours and by the features of MobileNetV2. And what a mask keeps.

None of them follows the point: each takes the best place within 10 px of where it began. A point that did not move is 3 to 6 px off."""
import math
import random
import shutil
import statistics
import subprocess

import numpy as np
import torch
import torch.nn.functional as F

import common
from model import Model
from project import Features

DRAGS, SEED, EDGE, NEAR = 50, 2026, 12, 2.0
MASK_PX = 12


def corners(picture):
    """How much of a corner each pixel is (Harris and Stephens 1988): the smaller eigenvalue of the gradients' products, 5x5."""
    grey = torch.from_numpy(picture.astype(np.float32).mean(2))[None, None]
    wide = F.pad(grey, (1, 1, 1, 1), mode="replicate")
    dx, dy = (wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2]) / 2, (wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]) / 2
    a, b, c = (F.avg_pool2d(v, 5, 1, 2, count_include_pad=False) for v in (dx * dx, dx * dy, dy * dy))
    return ((a + c) / 2 - (((a - c) / 2) ** 2 + b * b).clamp(min=0).sqrt())[0, 0].numpy()


def chosen(picture, chance):
    """One of the tenth of pixels that are most of a corner, and where it goes."""
    h, w = picture.shape[:2]
    inner = corners(picture)[EDGE : h - EDGE, EDGE : w - EDGE]
    places = np.argwhere(inner >= np.quantile(inner, 0.9)) + EDGE
    y, x = map(int, places[chance.randrange(len(places))])
    angle, length = chance.uniform(0, 2 * math.pi), chance.uniform(3, 6)
    return (x, y), (x + length * math.cos(angle), y + length * math.sin(angle))


def best_place(unlike, start, reach=10):
    """Where `[h, w]` is least within `reach` px of the start."""
    h, w = unlike.shape
    ys, xs = np.mgrid[:h, :w]
    unlike = np.where(np.hypot(xs - start[0], ys - start[1]) <= reach, unlike, np.inf)
    y, x = np.unravel_index(np.argmin(unlike), unlike.shape)
    return int(x), int(y)


def by_template(before, after, start, half=3):
    """Where the patch around the start lies in the other picture: greatest normalised cross-correlation of colours."""
    pad = lambda p: np.pad(p.astype(np.float32), ((half, half), (half, half), (0, 0)), mode="edge")
    side = 2 * half + 1
    windows = np.lib.stride_tricks.sliding_window_view(pad(after), (side, side), (0, 1)).reshape(*after.shape[:2], -1)
    patch = pad(before)[start[1] : start[1] + side, start[0] : start[0] + side].transpose(2, 0, 1).reshape(-1)
    centred = lambda v: v - v.mean(-1, keepdims=True)
    windows, patch = centred(windows), centred(patch)
    likeness = windows @ patch / np.maximum(np.linalg.norm(windows, axis=-1) * np.linalg.norm(patch), 1e-6)
    return best_place(-likeness, start)


def by_map(model, before, after, start):
    """Where the last stage's map is most like what it was at the start (3x3 around it)."""
    maps = []
    for ws in (before, after):
        with torch.no_grad():
            m = model.paint(ws, keep=model.stages - 1)[1]
        maps.append(F.unfold(F.pad(m, (1, 1, 1, 1), mode="replicate"), 3).reshape(-1, *m.shape[2:]).numpy())
    unlike = np.square(maps[1] - maps[0][:, start[1], start[0], None, None]).sum(0)
    return best_place(unlike, start)


def by_features(net, before, after, start):
    """Where the first three taps of MobileNetV2, each channel by its deviation, are most like what they were at the start."""
    seen = []
    for picture in (before, after):
        x = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 127.5 - 1
        with torch.no_grad():
            taps = net.taps(F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False))
        seen.append(torch.cat([F.interpolate(t, picture.shape[:2], mode="bilinear", align_corners=False) for t in taps], 1)[0])
    scale = seen[0].std((1, 2), keepdim=True).clamp(min=1e-3)
    unlike = ((seen[1] - seen[0][:, start[1], start[0], None, None]) / scale).square().sum(0)
    return best_place(unlike.numpy(), start)


def latents(pinxit, model, path):
    """One w for each stage of what drag has written."""
    w = common.numbers(next(op for op in common.recipe(pinxit, path)["operations"] if op["op"] == "latents")["w"])
    return list(torch.from_numpy(w.copy()).reshape(model.stages, 1, -1))


def disc(shape, centre, path):
    ys, xs = np.mgrid[: shape[0], : shape[1]]
    inside = np.hypot(xs - centre[0], ys - centre[1]) <= MASK_PX
    common.png.write(path, np.repeat(inside[..., None] * np.uint8(255), 3, 2))
    return inside


def one(pinxit, model, net, folder, path, start, target, masked):
    """Drags, and judges."""
    before = common.read(path)
    middle = ((start[0] + target[0]) / 2, (start[1] + target[1]) / 2)
    inside = disc(before.shape[:2], middle, folder / "mask.png")
    point = f"{start[0] + 0.5},{start[1] + 0.5}:{target[0] + 0.5:.3f},{target[1] + 0.5:.3f}"
    words = ["--mask", folder / "mask.png"] if masked else []
    result = pinxit.events("explore", "drag", path, "--point", point, *words, "-o", folder, "--overwrite")
    painted, processor = folder / f"{path.stem}-dragged.png", pinxit.cpu
    after, far = common.read(painted), lambda place: math.hypot(place[0] - target[0], place[1] - target[1])
    first = [model.w_of_seed(common.recipe(pinxit, path)["seed"])] * model.stages
    changed = np.abs(after.astype(float) - before).mean(2)
    return {
        "picture": path.name, "point": point, "px": far(start), "steps": result["steps"], "pinxit": result["left_px"][0],
        "map": far(by_map(model, first, latents(pinxit, model, painted), start)), "template": far(by_template(before, after, start)),
        "features": far(by_features(net, before, after, start)),
        "inside": changed[inside].mean(), "outside": changed[~inside].mean(), "processor": processor,
    }


def marked(picture, start, target, times=3):
    """Enlarged, with a red square where the point was and a green one where it goes."""
    large = picture.repeat(times, 0).repeat(times, 1).copy()
    for (x, y), colour in ((start, (255, 0, 0)), (target, (0, 255, 0))):
        x, y = round((x + 0.5) * times), round((y + 0.5) * times)
        large[y - 3 : y + 4, x - 3 : x + 4] = colour
        large[y - 2 : y + 3, x - 2 : x + 3] = picture[min(y // times, len(picture) - 1), min(x // times, picture.shape[1] - 1)]
    return large


def sheet(work, folder, orders, columns=8):
    """The first drags, unselected: before above, after below."""
    lines = [[], []]
    for path, start, target in orders[:columns]:
        for line, shown in zip(lines, (path, folder / f"{path.stem}-dragged.png")):
            line.append(np.pad(marked(common.read(shown), start, target), ((0, 4), (0, 4), (0, 0)), constant_values=255))
    common.png.write(work / "drags.png", np.concatenate([np.concatenate(line, 1) for line in lines]))
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", work / "drags.png", "-q:v", "3", work / "drags.jpg"], check=True)


def run(pinxit, work, names):
    torch.set_num_threads(1)
    model, folder, chance = Model(pinxit.model(names[0])), work / "drags", random.Random(SEED)
    net = Features(common.ROOT / "assets/weights/mobilenet_v2.safetensors")
    shutil.rmtree(folder, ignore_errors=True)
    pinxit.run("generate", names[0], "--seeds", f"3000-{3000 + DRAGS - 1}", "-o", folder / "before")
    figures = {}
    orders = [(p, *chosen(common.read(p), chance)) for p in sorted((folder / "before").glob("*.png"))]
    for masked in (False, True):
        kind = "with a mask" if masked else "no mask"
        figures[kind] = []
        for order in orders:
            figures[kind].append(one(pinxit, model, net, folder, *order, masked))
            print(kind, {k: v if isinstance(v, (str, int)) else round(float(v), 2) for k, v in figures[kind][-1].items()}, flush=True)
        if not masked:
            sheet(work, folder, orders)
    rows = []
    for kind, all_of in figures.items():
        share = lambda key: f"{sum(d[key] <= NEAR for d in all_of) / len(all_of):.0%}"
        one_of = sum(min(d["features"], d["template"]) <= NEAR for d in all_of) / len(all_of)
        less = sum(d["outside"] < d["inside"] for d in all_of) / len(all_of)
        middle = lambda key: statistics.median(d[key] for d in all_of)
        judged = [share(judge) for judge in ("pinxit", "map", "features", "template")]
        changed = f"{middle('inside'):.1f} / {middle('outside'):.1f}"
        rows.append([kind, *judged, f"{one_of:.0%}", f"{less:.0%}", changed, middle("steps"), f"{middle('processor'):.1f}"])
    head = [f"{len(orders)} drags, within {NEAR:.0f} px", "pinxit says", "last map", "MobileNetV2", "colours", "one of these two"]
    common.table([*head, "rest changes less", "change inside / outside", "steps", "processor s"], rows)
    common.keep(work, "drag", figures)
