"""Planted copies, and the tables of what was caught.

`plant DATA OUT N`: of N training pictures of an exported dataset, copies of four kinds. `some SET OUT N`: N works of a set. `table WORK SETS…`.
"""
import csv
import json
import pathlib
import random
import shutil
import sys

KINDS = ("exact", "mirrored", "window", "jpeg50")


def plant(data, out, count):
    from PIL import Image, ImageOps

    rng = random.Random(1)
    rows = [r for r in csv.DictReader((data / "labels.csv").open(encoding="utf-8", newline="")) if r["split"] == "train"]
    for kind in KINDS:
        (out / kind).mkdir(parents=True)
    for r in rng.sample(rows, min(count, len(rows))):
        picture, name = Image.open(data / r["file"]).convert("RGB"), pathlib.Path(r["file"]).stem
        w, h = picture.size
        cw, ch = round(w * 0.8), round(h * 0.8)
        x, y = rng.randint(0, w - cw), rng.randint(0, h - ch)
        picture.save(out / "exact" / f"{name}.png")
        ImageOps.mirror(picture).save(out / "mirrored" / f"{name}.png")
        picture.crop((x, y, x + cw, y + ch)).resize((w, h), Image.Resampling.BICUBIC).save(out / "window" / f"{name}.png")
        picture.save(out / "jpeg50" / f"{name}.jpg", quality=50)


def some(source, out, count):
    rows = [json.loads(line) for line in (source / "manifest.jsonl").open(encoding="utf-8")]
    rows = random.Random(1).sample([r for r in rows if not r.get("skin_tone") and not r.get("duplicate_of")], count)
    for r in rows:
        (out / r["file"]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / r["file"], out / r["file"])
    (out / "manifest.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")


def table(work, sets):
    print("| set | works | planted | exact | mirrored | window of 80 % | JPEG 50 | limit | held out | wrongly blocked |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for name in sets:
        found = [json.loads((work / f"planted-{name}" / kind / "audit.json").read_text(encoding="utf-8")) for kind in KINDS]
        caught = " | ".join(f"{100 * f['near_copies']:.1f} %" for f in found)
        f = found[0]
        print(f"| {name} | {f['works']} | {f['samples']} | {caught} | {f['near_copy_below']:.3f} | {f['held_out']} | {100 * f['near_copies_held_out']:.2f} % |")


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "plant":
        plant(pathlib.Path(rest[0]), pathlib.Path(rest[1]), int(rest[2]))
    elif command == "some":
        some(pathlib.Path(rest[0]), pathlib.Path(rest[1]), int(rest[2]))
    else:
        table(pathlib.Path(rest[0]), rest[1:])
