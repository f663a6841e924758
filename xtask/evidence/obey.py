"""What is asked of a model, and the judge of what it painted. `ask DATA OUT` writes OUT/asked.tsv; `judge DATA OUT THREADS` prints the table.

The judge: eight convolutions with batch normalisation (four of stride 2) and a mean over the picture, taught class, style and captions at once on the
training pictures (cross-entropy; InfoNCE, van den Oord et al. 2018, between pictures and mean word vectors). It sees pictures at 64 px.
"""
import csv
import json
import pathlib
import random
import re
import sys
from collections import Counter

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "benches/peers/race"))

CAPTIONS, CHOICES, EPOCHS, BATCH = 100, 10, 10, 128
FILLERS = set("a an and at by for from in is it of on or the this to with".split())


def rows(data):
    return list(csv.DictReader((data / "labels.csv").open(encoding="utf-8", newline="")))


def words(caption):
    return [w for w in re.findall(r"\w+", caption.lower()) if w not in FILLERS]


def vocabulary(train):
    """Words of the captions of three or more works, as pinxit learns them."""
    counts = Counter(w for _, caption in {(r["group"], r["caption"]) for r in train} for w in set(words(caption)))
    return {w: i for i, w in enumerate(sorted(w for w, n in counts.items() if n >= 3))}


def ask(data, out):
    """Every class in every style, and captions of held-out pictures: two known words or more, the combination never seen."""
    every = rows(data)
    train = [r for r in every if r["split"] == "train"]
    known, seen = vocabulary(train), {frozenset(words(r["caption"])) for r in train}
    pairs = sorted({(r["class"], r["style"]) for r in train if r["class"] and r["style"]})
    asked = [(f"labels/{i:03}", "labels", c, s, "") for i, (c, s) in enumerate(pairs)]
    fresh, taken, of_class = [r for r in every if r["split"] != "train"], set(), Counter()
    random.Random(1).shuffle(fresh)
    for r in fresh:
        said = frozenset(words(r["caption"]))
        new = len(said & known.keys()) >= 2 and said <= known.keys() and said not in seen | taken
        # People in six skin tones would fill the list alone.
        if new and len(taken) < CAPTIONS and of_class[r["class"]] < CAPTIONS // 2:
            of_class[r["class"]] += 1
            asked.append((f"captions/{len(taken):03}", "caption", r["class"], r["style"], r["caption"]))
            taken.add(said)
    text = "".join("\t".join(line) + "\n" for line in asked)
    (out / "asked.tsv").write_text(text, encoding="utf-8")
    print(f"{len(pairs)} pairs of class and style, {len(taken)} captions")


def pictures(paths):
    """`[n, 3, 64, 64]` in -1..1."""
    import png
    import torch

    side = int.from_bytes(paths[0].read_bytes()[16:20], "big")
    x = torch.from_numpy(png.read_all(paths, side)).permute(0, 3, 1, 2).float() / 127.5 - 1
    factor = x.shape[2] // 64
    return torch.nn.functional.avg_pool2d(x, factor) if factor > 1 else x


def judge(data, out, threads):
    import torch
    from torch import nn

    torch.manual_seed(0)
    torch.set_num_threads(threads)
    every = rows(data)
    train = [r for r in every if r["split"] == "train"]
    held = [r for r in every if r["split"] != "train"]
    known = vocabulary(train)
    classes, styles = (sorted({r[k] for r in train if r[k]}) for k in ("class", "style"))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            layers, width = [], 3
            for wide in (32, 64, 128, 256):
                layers += [nn.Conv2d(width, wide, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(wide), nn.ReLU()]
                layers += [nn.Conv2d(wide, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide), nn.ReLU()]
                width = wide
            self.trunk = nn.Sequential(*layers)
            self.to_class, self.to_style = nn.Linear(width, len(classes)), nn.Linear(width, len(styles))
            self.to_words, self.table = nn.Linear(width, 64), nn.EmbeddingBag(len(known), 64, mode="mean")
            self.heat = nn.Parameter(torch.tensor(2.3))

        def forward(self, x):
            h = self.trunk(x).mean((2, 3))
            return self.to_class(h), self.to_style(h), nn.functional.normalize(self.to_words(h), dim=1)

        def read(self, captions):
            said = [[known[w] for w in words(c) if w in known] for c in captions]
            flat = torch.tensor([i for s in said for i in s], dtype=torch.long)
            starts = torch.tensor([0] + [len(s) for s in said][:-1]).cumsum(0)
            return nn.functional.normalize(self.table(flat, starts), dim=1)

    net = Net()
    x = pictures([data / r["file"] for r in train])
    number = lambda key, names: torch.tensor([names.index(r[key]) for r in train])
    y_class, y_style = number("class", classes), number("style", styles)
    readable = torch.tensor([any(w in known for w in words(r["caption"])) for r in train])
    steps = EPOCHS * (len(train) // BATCH)
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for epoch in range(EPOCHS):
        order = torch.randperm(len(train))
        for at in range(0, len(order) - BATCH + 1, BATCH):
            i = order[at : at + BATCH]
            b = nn.functional.pad(x[i], (4, 4, 4, 4), mode="replicate")
            dy, dx = torch.randint(0, 9, (2,)).tolist()
            b = b[:, :, dy : dy + 64, dx : dx + 64]
            a, s, v = net(b.flip(3) if random.random() < 0.5 else b)
            loss = nn.functional.cross_entropy(a, y_class[i]) + nn.functional.cross_entropy(s, y_style[i])
            keep = readable[i]
            text = net.read([train[j]["caption"] for j in i[keep].tolist()])
            scores = v[keep] @ text.T * net.heat.exp()
            wanted = torch.arange(len(scores))
            loss = loss + (nn.functional.cross_entropy(scores, wanted) + nn.functional.cross_entropy(scores.T, wanted)) / 2
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {loss.item():.2f}", flush=True)
    net.eval()

    @torch.no_grad()
    def see(paths):
        parts = [net(pictures(paths[at : at + 256])) for at in range(0, len(paths), 256)]
        return [torch.cat(p) for p in zip(*parts)]

    def share(scores, wanted, names):
        return sum(names[k] == w for k, w in zip(scores.argmax(1).tolist(), wanted)) / len(wanted)

    @torch.no_grad()
    def recall(vectors, captions):
        """Share of pictures whose own caption is among the ten nearest of a hundred."""
        scores = vectors @ net.read(captions).T
        rank = (scores > scores.diagonal()[:, None]).sum(1)
        return (rank < CHOICES).float().mean().item()

    asked = [line.split("\t") for line in (out / "asked.tsv").read_text(encoding="utf-8").splitlines()]
    painted, table = [], {}
    for folder, kind, c, s, _ in asked:
        if kind == "labels":
            painted += [(p, c, s) for p in sorted((out / folder).glob("*.png"))]
    a, s, _ = see([p for p, _, _ in painted])
    ra, rs, _ = see([data / r["file"] for r in held])
    table["class named"] = (share(a, [c for _, c, _ in painted], classes), share(ra, [r["class"] for r in held], classes))
    table["style named"] = (share(s, [w for _, _, w in painted], styles), share(rs, [r["style"] for r in held], styles))
    for name in styles:
        mine = [k for k, (_, _, w) in enumerate(painted) if w == name]
        real = [k for k, r in enumerate(held) if r["style"] == name]
        table[f"style {name} named"] = (share(s[mine], [name] * len(mine), styles), share(rs[real], [name] * len(real), styles))
    captions = [line for line in asked if line[1] == "caption"]
    texts = [line[4] for line in captions]
    found = [sorted((out / line[0]).glob("*.png")) for line in captions]
    by_seed = [recall(see([f[k] for f in found])[2], texts) for k in range(len(found[0]))]
    real_of = {(r["caption"], r["style"]): data / r["file"] for r in held}
    real = recall(see([real_of[line[4], line[3]] for line in captions])[2], texts)
    table[f"caption among {CHOICES} of {len(texts)}, chance {CHOICES / len(texts):.2f}"] = (sum(by_seed) / len(by_seed), real)
    print(f"\n| {len(painted)} painted, {len(held)} real held out | painted | real |\n|---|--:|--:|")
    for name, (mine, theirs) in table.items():
        print(f"| {name} | {mine:.3f} | {theirs:.3f} |")
    (out / "obey.json").write_text(json.dumps(table, indent=1), encoding="utf-8")


if __name__ == "__main__":
    command, data, out = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    ask(data, out) if command == "ask" else judge(data, out, int(sys.argv[4]))
