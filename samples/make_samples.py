#!/usr/bin/env python3
"""Chooses the pictures of this folder from the sets that `cargo xtask evidence sets` lays out.

    python3 samples/make_samples.py SETS     # SETS holds met/ and landscapes/, each with manifest.jsonl

Files are the sources' own bytes. Paintings: landscapes of The Met's Open Access (CC0). Photographs: landscapes that
Endless Sky's copyright file places in the public domain. Class is the scene's kind of picture, style the medium.
"""
import json, pathlib, shutil, sys

PAINTINGS = {"435809", "435839", "435908", "435962", "436535", "436575", "437097", "437299", "437549", "437854", "438417", "438820", "441769", "459092"}
# Man-made scenes, space and industry are left out: the demo shows land, water and sky.
SCENES = {"badlands": 4, "beach": 5, "canyon": 5, "desert": 4, "dune": 4, "fields": 6, "fog": 4, "forest": 4, "hills": 3, "mountain": 5, "sea": 4, "sky": 4, "snow": 4, "valley": 4, "water": 4}
LIMIT = 6_000_000


def rows(folder):
    return [json.loads(line) for line in (folder / "manifest.jsonl").open(encoding="utf-8")]


def main(sets):
    here, kept, seen = pathlib.Path(__file__).parent, [], dict.fromkeys(SCENES, 0)
    for r in rows(sets / "met"):
        if pathlib.Path(r["file"]).stem in PAINTINGS:
            kept.append((sets / "met" / r["file"], "paintings", r | {"class": "painting", "style": "painting"}))
    for r in rows(sets / "landscapes"):
        scene = r["class"]
        if scene in SCENES and seen[scene] < SCENES[scene] and not r.get("doubtful"):
            seen[scene] += 1
            kept.append((sets / "landscapes" / r["file"], "photographs", r | {"class": "photograph", "style": "photograph"}))
    lines = []
    for source, folder, r in kept:
        name = f"{folder}/{source.name}"
        (here / folder).mkdir(exist_ok=True)
        shutil.copyfile(source, here / name)
        # Only columns that an import reads: the demo's first words must not be a warning about its own pictures.
        keep = ("title", "creator", "licence", "source", "class", "style", "caption")
        r["source"] = f"{r['source']} {r['version']}"
        lines.append(json.dumps({"file": name} | {k: r[k] for k in keep}, ensure_ascii=False))
    (here / "manifest.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    total = sum((here / json.loads(line)["file"]).stat().st_size for line in lines)
    assert total < LIMIT, f"{total:,} bytes are over the limit of {LIMIT:,}"
    print(f"{len(lines)} pictures, {total:,} bytes")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
