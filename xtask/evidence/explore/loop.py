"""Loops: how far the last frame lies from the first beside the neighbours' distances, and the peak memory by length."""
import statistics
import subprocess

import numpy as np

import common

SEEDS = [1, 5, 9, 13, 17]


def frames(path, width, height):
    """Of a file, decoded by ffmpeg: uint8 `[n, h, w, 3]`."""
    kind = ["-f", "apng"] if path.suffix == ".png" else []
    raw = subprocess.run(["ffmpeg", "-v", "error", "-threads", "1", *kind, "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True)
    return np.frombuffer(raw.stdout, np.uint8).reshape(-1, height, width, 3)


def distances(film):
    """Root mean square difference of each frame and the next, of 255; the last is that of the seam."""
    return [float(np.sqrt(np.mean((a.astype(np.float32) - b) ** 2))) for a, b in zip(film, [*film[1:], film[0]])]


def seam(pinxit, work, name, how, seconds=10, fps=30):
    path = work / f"loop-{'-'.join(how)}.png"
    pinxit.run("explore", "loop", name, "--seeds", ",".join(map(str, SEEDS)), "--seconds", seconds, "--fps", fps, *[f"--{w}" for w in how], "-o", path, "--overwrite")
    height, width = resolution(pinxit, name)
    film = frames(path, width, height)
    assert len(film) == seconds * fps, f"{len(film)} frames"
    *inner, last = distances(film)
    return {"frames": len(film), "seam": last, "median": statistics.median(inner), "beside": [inner[-1], inner[0]], "most": max(inner), "least": min(inner)}


def resolution(pinxit, name):
    from model import Model

    return Model(pinxit.model(name)).card["resolution"]


def memory(pinxit, work, name, ending, seconds):
    path = work / f"long-{seconds}.{ending}"
    sign = ["--no-sign"] if ending == "mp4" else []
    pinxit.run("explore", "loop", name, "--seeds", ",".join(map(str, SEEDS)), "--seconds", seconds, "--fps", 30, *sign, "-o", path, "--overwrite")
    return round(pinxit.peak_mib, 1), round(path.stat().st_size / 2**20, 1), round(pinxit.cpu / seconds / 30 * 1000, 1)


def run(pinxit, work, names):
    name = names[0]
    height, width = resolution(pinxit, name)
    figures = {"seam": {}, "memory": {}}
    for how in (["easing=smooth"], ["easing=linear"], ["easing=linear", "through=z"]):
        figures["seam"][" ".join(how)] = seam(pinxit, work, name, how)
    common.table([f"loop of 10 s, 30 a second, {width}x{height} px", "seam", "median of the neighbours", "the steps before and after", "least…most"],
                 [[how, f"{s['seam']:.2f}", f"{s['median']:.2f}", "{:.2f} and {:.2f}".format(*s["beside"]), f"{s['least']:.2f}…{s['most']:.2f}"] for how, s in figures["seam"].items()])
    for ending in ("gif", "webp", "png", "mp4"):
        figures["memory"][ending] = {seconds: memory(pinxit, work, name, ending, seconds) for seconds in (2, 10, 20)}
    rows = [[ending] + [f"{peak} ({size})" for peak, size, _ in by.values()] + [f"{by[20][2]:.0f}"] for ending, by in figures["memory"].items()]
    common.table(["peak memory, MiB (file, MiB)", "2 s", "10 s", "20 s", "processor ms a frame"], rows)
    common.keep(work, "loop", figures)
