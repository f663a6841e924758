"""A pinxit model in PyTorch, written from the description of the network alone: the file, the random numbers, mapping and synthesis."""
import json
import math
import struct

import numpy as np
import torch
import torch.nn.functional as F

MASK = (1 << 64) - 1
TYPES = {"F16": np.float16, "F32": np.float32}


def tensors(path):
    """The metadata and the tensors (float32) of a safetensors file."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    head = json.loads(data[8 : 8 + length])
    meta, body = head.pop("__metadata__", {}), data[8 + length :]
    read = lambda t: np.frombuffer(body[slice(*t["data_offsets"])], TYPES[t["dtype"]]).reshape(t["shape"]).astype(np.float32)
    return meta, {name: read(t) for name, t in head.items()}


def splitmix(state):
    state = (state + 0x9E3779B97F4A7C15) & MASK
    z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return state, z ^ (z >> 31)


class Rng:
    """xoshiro256++ (Blackman and Vigna 2019) with a stream for each purpose."""

    def __init__(self, seed, purpose):
        name = 0xCBF29CE484222325
        for byte in purpose.encode():
            name = ((name ^ byte) * 0x100000001B3) & MASK
        state, self.words, self.spare = splitmix(seed)[1] ^ name, [], None
        for _ in range(4):
            state, word = splitmix(state)
            self.words.append(word)

    def next(self):
        a, b, c, d = self.words
        turn = lambda v, by: ((v << by) | (v >> (64 - by))) & MASK
        result = (turn((a + d) & MASK, 23) + a) & MASK
        t = (b << 17) & MASK
        c, d = c ^ a, d ^ b
        b, a = b ^ c, a ^ d
        self.words = [a, b, c ^ t, turn(d, 45)]
        return result

    def uniform(self):
        return (self.next() >> 11) / (1 << 53)

    def normal(self):
        if self.spare is not None:
            value, self.spare = self.spare, None
            return value
        while True:
            a, b = 2 * self.uniform() - 1, 2 * self.uniform() - 1
            r = a * a + b * b
            if 0 < r < 1:
                k = math.sqrt(-2 * math.log(r) / r)
                self.spare = b * k
                return a * k

    def normals(self, *shape):
        return np.array([self.normal() for _ in range(math.prod(shape))], np.float32).reshape(shape)

    def below(self, n):
        while True:
            product = self.next() * n
            if product & MASK >= (1 << 64) % n:
                return product >> 64

    def shuffle(self, items):
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]


def rms(x):
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


class Model:
    """The network of a model file. Maps and pictures are `[n, c, h, w]`."""

    def __init__(self, path):
        meta, arrays = tensors(path)
        self.card = json.loads(meta["pinxit"])
        self.size = self.card["generator"]
        self.p = {name: torch.from_numpy(a) for name, a in arrays.items()}
        # Convolutions as PyTorch has them: [out, in, k, k].
        self.kernels = {name: t.permute(3, 2, 0, 1).contiguous() for name, t in self.p.items() if t.ndim == 4 and name != "start.const"}
        self.energy = {name: t.square().sum((2, 3)) for name, t in self.kernels.items()}
        self.stages = len(self.size["channels"])

    def mapping(self, z, classes=None, styles=None):
        condition = 0
        for what, rows in (("class", classes), ("style", styles)):
            table = self.p.get(f"mapping.{what}")
            if table is not None:
                condition = condition + table[torch.full((len(z),), len(table) - 1) if rows is None else torch.as_tensor(rows)]
        u = torch.cat([rms(torch.as_tensor(z)), rms(condition)], 1)
        for j in (0, 1):
            u = F.leaky_relu(u @ self.p[f"mapping.{j}.weight"] + self.p[f"mapping.{j}.bias"], 0.2)
        return u

    def samples(self, count, seed=0):
        """The `count` samples of w that pinxit measures with: labels as often as the training pictures have them."""
        rng, rows = Rng(seed, "space"), []
        data = self.card["dataset"]
        for _ in range(-(-count // 256)):
            labels = [[draw(rng, self.card[f"{kind}s" if kind == "style" else "classes"], data.get(f"{kind}_counts", [])) for kind in ("class", "style")] for _ in range(256)]
            rows.append(self.mapping(rng.normals(256, self.size["z_dim"]), *zip(*labels)))
        return torch.cat(rows)[:count]

    def w_of_seed(self, seed):
        return self.mapping(Rng(seed, "latents").normals(1, self.size["z_dim"]))

    def affine(self, name, w):
        return w @ self.p[f"{name}.affine.weight"] + self.p[f"{name}.affine.bias"]

    def paint(self, ws, keep=None):
        """One w `[n, w_dim]` for each stage to pictures in about -1..1, not clamped; the map of stage `keep` beside them."""
        h, w = self.size["base"]
        x = (ws[0] @ self.p["start.weight"] + self.p["start.bias"]).reshape(-1, h, w, self.size["channels"][0]) + self.p["start.const"]
        x, picture, kept = x.permute(0, 3, 1, 2), None, None
        for i, w in enumerate(ws):
            if i > 0:
                x = F.conv2d(x, self.kernels[f"stage.{i}.reduce"])
            for j in range(2 if i < 2 else 1):
                name = f"stage.{i}.conv.{j}"
                s, kernel = self.affine(name, w), f"{name}.weight"
                x = x * s[:, :, None, None]
                if i > 0 and j == 0:
                    x = twice(x)
                d = (s.square() @ self.energy[kernel].T + 1e-8).rsqrt()
                x = F.conv2d(x, self.kernels[kernel], padding=1) * d[:, :, None, None]
                x = F.leaky_relu(x + self.p[f"{name}.bias"][:, None, None], 0.2) * math.sqrt(2)
            kept = x if i == keep else kept
            name = f"stage.{i}.rgb"
            rgb = F.conv2d(x * self.affine(name, w)[:, :, None, None], self.kernels[f"{name}.weight"]) + self.p[f"{name}.bias"][:, None, None]
            picture = rgb if picture is None else rgb + twice(picture)
        return picture if keep is None else (picture, kept)


def twice(x):
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def draw(rng, names, counts):
    """The number of a label, by its count; the number of labels where there are none."""
    if not names:
        return 0
    if len(counts) != len(names) or not sum(counts):
        return rng.below(len(names))
    left = rng.below(sum(counts))
    return next(i for i in range(len(counts)) if left < sum(counts[: i + 1]))


def saved(x):
    """Bytes `[n, h, w, 3]` of pictures `[n, 3, h, w]` in -1..1, as pinxit rounds them."""
    return ((x.clamp(-1, 1) + 1) * 127.5 + 0.5).to(torch.uint8).permute(0, 2, 3, 1).numpy()
