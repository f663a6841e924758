"""What the parts share: running pinxit, reading what it wrote, tables."""
import base64
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "benches/peers/race"))
import png  # noqa: E402


class Pinxit:
    """The program, with the seconds (wall and processor) and the peak memory of its last run.

    GNU time tells the memory: what Linux tells a parent of a child is at least what the parent had itself."""

    def __init__(self, program, threads=1):
        self.command, self.wall, self.cpu, self.peak_mib = [program, "--threads", str(threads), "--no-progress"], 0.0, 0.0, 0.0

    def run(self, *words, check=True):
        """Output, messages and exit status."""
        begun = time.perf_counter()
        with open(os.devnull) as nothing, tempfile.NamedTemporaryFile("r") as peak:
            measured = ["time", "--quiet", "--format", "%M", "--output", peak.name, *self.command, *map(str, words)]
            child = subprocess.Popen(measured, stdin=nothing, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            out, said = child.stdout.read(), child.stderr.read()
            _, status, used = os.wait4(child.pid, 0)
            self.peak_mib = int(peak.read()) / 1024
        child.returncode = os.waitstatus_to_exitcode(status)
        self.wall, self.cpu = time.perf_counter() - begun, used.ru_utime + used.ru_stime
        if check and child.returncode:
            raise SystemExit(f"pinxit {' '.join(map(str, words))}: {child.returncode}\n{said}")
        return out, said, child.returncode

    def events(self, *words):
        """What a command tells at its end, as JSON."""
        out, _, _ = self.run("--json", *words)
        return [json.loads(line) for line in out.splitlines()][-1].get("result", {})

    def model(self, name):
        return pathlib.Path(os.environ["PINXIT_HOME"]) / "models" / f"{name}.safetensors"


def read(path):
    """A PNG of any size: uint8 `[h, w, 3]`."""
    data = path.read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    parts, body = {}, b""
    for kind, part in png.chunks(data, path):
        body += part if kind == b"IDAT" else b""
        parts.setdefault(kind, part)
    import zlib

    depth, colour = parts[b"IHDR"][8:10]
    step = png.CHANNELS[colour] * depth // 8
    raw = np.frombuffer(zlib.decompress(body), np.uint8).reshape(1, height, -1)
    palette = np.frombuffer(parts.get(b"PLTE", b""), np.uint8).reshape(-1, 3)
    return png.colours(png.unfilter(raw, max(step, 1))[0], colour, depth, width, palette, None, path)


def recipe(pinxit, path):
    return json.loads(pinxit.run("--json", "info", path)[0])["recipe"]


def numbers(text):
    return np.frombuffer(base64.b64decode(text), "<f4")


def psnr(a, b):
    return 10 * np.log10(255**2 / max(np.mean((a.astype(float) - b.astype(float)) ** 2), 1e-9))


def keep(work, part, figures):
    (work / f"{part}.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")


def table(head, rows):
    print("\n| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |", flush=True)
