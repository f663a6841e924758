"""Every verb of README and docs/explore.md on every model: does it run, and is what it made painted again to the last byte?"""
import hashlib
import shutil

import common
from loop import frames, resolution


def digest(path, sides):
    """Of the pixels: a picture's, or every frame's of an animation. Of the file where no ffmpeg reads the frames (WebP)."""
    data = path.read_bytes()
    if path.suffix == ".webp":
        return hashlib.sha256(data).hexdigest()
    if path.suffix == ".png" and b"acTL" not in data[:4096]:
        pixels = common.read(path).tobytes()
    else:
        pixels = frames(path, *sides).tobytes()
    return hashlib.sha256(pixels).hexdigest()


class Round:
    """The verbs on one model."""

    def __init__(self, pinxit, work, name):
        self.pinxit, self.name, self.folder, self.rows = pinxit, name, work / f"verbs-{name}", {}
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        height, width = resolution(pinxit, name)
        self.sides = (width, height)

    def verb(self, label, *words, makes=(), again="generate"):
        """Runs a command; what it `makes` is painted again by `again`: `generate` or `walk` from its recipe, or the `same` command."""
        _, said, status = self.pinxit.run(*words, check=False)
        made = sorted(p for pattern in makes for p in self.folder.glob(pattern))
        if status or (makes and not made):
            self.rows[label] = f"failed ({status}): {said.strip().splitlines()[0] if said.strip() else 'nothing was written'}"
            return []
        equal, files = 0, 0
        for path in made:
            once = self.repeat(path, again, words)
            if once is None:
                self.rows[label] = f"ok, not painted again: {self.said}"
                return made
            equal += digest(path, self.frame_sides()) == digest(once, self.frame_sides())
            files += path.read_bytes() == once.read_bytes()
        self.rows[label] = "ok" if not made else f"ok, pixels equal {equal}/{len(made)}, files equal {files}/{len(made)}"
        return made

    def frame_sides(self):
        return self.sides[1], self.sides[0]

    def repeat(self, path, again, words):
        """The file made again, in a folder of its own."""
        folder = self.folder / "again"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        copy = folder / path.name
        unsigned = ["--no-sign"] if "--no-sign" in words else []
        if again == "same":
            words = [folder / w.relative_to(self.folder) if w == path else w for w in words]
            _, self.said, status = self.pinxit.run(*words, check=False)
        elif again == "walk":
            _, self.said, status = self.pinxit.run("explore", "walk", "--from", path, *unsigned, "-o", copy, check=False)
        else:
            name = ["--format", path.suffix[1:]]
            _, self.said, status = self.pinxit.run("generate", "--from", path, *name, *unsigned, "-o", folder, "--overwrite", check=False)
            new = set(folder.iterdir())
            copy = new.pop() if len(new) == 1 else copy
        return copy if status == 0 and copy.exists() else None


def all_verbs(r):
    f, m, plain = r.folder, r.name, ["--no-sign"]
    own = r.verb("generate --seeds 1-12", "generate", m, "--seeds", "1-12", *plain, "-o", f / "p", makes=["p/*.png"])
    if len(own) != 12:
        return
    a, b, c = own[:3]
    for ending in ("webp", "gif", "png"):
        r.verb(f"loop .{ending}", "explore", "loop", m, "--seeds", "1,5,9", "--seconds", 2, *plain, "-o", f / f"loop.{ending}", makes=[f"loop.{ending}"], again="walk")
    for ending in ("mp4", "webm"):
        r.verb(f"loop .{ending}", "explore", "loop", m, "--seeds", "1,5,9", "--seconds", 2, "-o", f / f"loop.{ending}")
    r.verb("loop --through z", "explore", "loop", m, "--seeds", "1,5", "--through", "z", "--seconds", 1, *plain, "-o", f / "z.png", makes=["z.png"], again="walk")
    r.verb("walk --key", "explore", "walk", "--key", a, "--key", b, "--seconds", 1, *plain, "-o", f / "walk.gif", makes=["walk.gif"], again="walk")
    r.verb("mix", "explore", "mix", m, "--rows", "0-3", "--columns", "4-8", "--stages", "2-3", *plain, "-o", f / "mix.png", makes=["mix.png"], again="same")
    for method in ("sefa", "pca"):
        r.verb(f"directions --method {method}", "explore", "directions", m, "--method", method, *plain, "-o", f / f"{method}.png", makes=[f"{method}.png"], again="same")
    r.verb("directions --rename", "explore", "directions", m, "--rename", "sefa-2=light")
    r.verb("directions --toward --away --as", "explore", "directions", m, "--toward", a, "--toward", b, "--away", c, "--as", "stormy", *plain, "-o", f / "stormy.png", makes=["stormy.png"], again="same")
    r.verb("directions --list", "explore", "directions", m, "--list")
    r.verb("move", "explore", "move", a, "--by", "light=2", "--by", "stormy=-1", *plain, "-o", f / "e", makes=["e/*-moved.png"])
    r.verb("mutate", "explore", "mutate", a, "--seed", 3, *plain, "-o", f / "e", makes=["e/*-mutated.png"])
    r.verb("truncate", "explore", "truncate", a, "--stages", "0-1", *plain, "-o", f / "e", makes=["e/*-truncated.png"])
    projected = r.verb("project, of an own picture", "explore", "project", m, a, "--steps", 60, *plain, "-o", f / "e", makes=[f"e/{a.stem}-projected.png"])
    r.verb("project --tune-as", "explore", "project", m, b, "--steps", 60, "--tune-as", f"{m}-tuned", *plain, "-o", f / "e", makes=[f"e/{b.stem}-projected.png"])
    width, height = r.sides
    x, y = width // 2, height // 2
    r.verb("drag", "explore", "drag", a, "--point", f"{x},{y}:{x + 4},{y}", *plain, "-o", f / "e", makes=["e/*-dragged.png"])
    r.verb("bend --cluster", "explore", "bend", a, "--stage", 2, "--do", "rotate=30", "--cluster", "2/6", *plain, "-o", f / "e", makes=["e/*-bent.png"])
    acts = ["multiply=2", "boost=2", "mute", "invert", "add=0.5", "threshold=0.5", "noise=0.5,7", "rotate=30", "move=0.1,0", "zoom=1.5", "mirror"]
    for act in acts:
        r.verb(f"bend --do {act}", "explore", "bend", b, "--stage", 1, "--do", act, *plain, "-o", f / "bend" / act.split("=")[0], makes=[f"bend/{act.split('=')[0]}/*.png"])
    for path in projected[:1]:
        r.verb("move, of a projection", "explore", "move", path, "--by", "light=1", *plain, "-o", f / "e", makes=[f"e/{path.stem}-moved.png"])
    r.verb("breed --grid", "explore", "breed", a, c, "--children", 9, "--grid", *plain, "-o", f / "children", makes=["children/*-child-*.png"])
    r.verb("tree", "explore", "tree", f / "children")
    r.verb("undo", "explore", "undo", f / "e" / f"{a.stem}-moved.png", *plain, "-o", f / "e", makes=["e/*-undone.png", "e/*-undo.png"])
    r.verb("enlarged edit", "explore", "mutate", c, "--enlarge", 4, *plain, "-o", f / "e", makes=[f"e/{c.stem}-mutated.png"])
    r.verb("models blend --by", "models", "blend", m, f"{m}-tuned", "--by", "0.5", "--as", f"{m}-between")
    r.verb("generate of the blend", "generate", f"{m}-between", "--seeds", "1", *plain, "-o", f / "between", makes=["between/*.png"])
    r.verb("models blend --from-stage", "models", "blend", m, f"{m}-tuned", "--from-stage", 2, "--as", f"{m}-swapped")
    r.verb("signed: generate, mutate", "explore", "mutate", b, "-o", f / "signed", makes=["signed/*.png"])


def run(pinxit, work, names):
    rounds = [Round(pinxit, work, name) for name in names]
    for r in rounds:
        for left in ("tuned", "between", "swapped"):
            pinxit.model(f"{r.name}-{left}").unlink(missing_ok=True)
        for kept in pinxit.model(r.name).parents[1].glob("directions/*/light.json"):
            kept.unlink()
        for kept in pinxit.model(r.name).parents[1].glob("directions/*/stormy.json"):
            kept.unlink()
    for r in rounds:
        all_verbs(r)
        for label, said in r.rows.items():
            print(f"{r.name}: {label}: {said}", flush=True)
    labels = list(dict.fromkeys(label for r in rounds for label in r.rows))
    common.table(["verb", *names], [[label, *(r.rows.get(label, "not reached") for r in rounds)] for label in labels])
    common.keep(work, "verbs", {r.name: r.rows for r in rounds})
