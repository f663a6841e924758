"""SeFa and the principal components of pinxit beside numpy on the same weights: |cosine| of the leading ten directions."""
import json
import subprocess

import numpy as np
import torch

import common
from model import Model

LEADING = 10
# Seed of the picture that the strips begin from.
STRIPS = 4


def leading(symmetric):
    """Eigenvectors as columns, heaviest first, and what they weigh."""
    weights, vectors = np.linalg.eigh(symmetric)
    return vectors[:, ::-1][:, :LEADING], weights[::-1]


def sefa(model):
    """Of the affine maps by which all stages read w, their columns scaled to length 1 (Shen and Zhou 2021)."""
    names = ["start.weight"] + sorted(name for name in model.p if name.endswith(".affine.weight"))
    columns = np.concatenate([model.p[name].double().numpy() for name in names], 1)
    columns = columns / np.linalg.norm(columns, axis=0)
    return leading(columns @ columns.T)


def principal(model, seed=0, count=4096):
    """Of samples of w (Härkönen et al. 2020)."""
    samples = model.samples(count, seed).double().numpy()
    return leading(np.cov(samples.T))


def run(pinxit, work, models):
    torch.set_num_threads(1)
    rows, figures = [], {}
    for name in models:
        model = Model(pinxit.model(name))
        for method, find in (("sefa", sefa), ("pca", principal)):
            out = work / f"{name}-{method}.png"
            pinxit.run("explore", "directions", name, "--method", method, "--count", LEADING, "--reach", 3, "--seed", STRIPS, "-o", out, "--overwrite")
            kept = pinxit.model(name).parents[1] / "directions" / model.card["hash"][:16]
            theirs, weights = find(model)
            cosines = []
            for i in range(LEADING):
                ours = common.numbers(json.loads((kept / f"{method}-{i + 1}.json").read_text())["direction"]).astype(float)
                cosines.append(abs(ours @ theirs[:, i]) / np.linalg.norm(ours))
            gaps = weights[:LEADING] / weights[1 : LEADING + 1] - 1
            figures[f"{name} {method}"] = {"cosines": cosines, "share": (weights[:LEADING] / weights.sum()).tolist()}
            rows.append([name, method, f"{min(cosines):.7f}", f"{gaps.min():.3f}", f"{weights[:LEADING].sum() / weights.sum():.2f}"])
        sheets = [work / f"{name}-{method}.png" for method in ("sefa", "pca")]
        beside = ["-filter_complex", "[0]pad=iw+16:ih:0:0:white[a];[a][1]hstack", "-q:v", "6", work / f"{name}-strips.jpg"]
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", sheets[0], "-i", sheets[1], *beside], check=True)
    # Other samples: how sure the components themselves are.
    first, other = principal(model := Model(pinxit.model(models[0])))[0], principal(model, seed=1)[0]
    figures["pca of other samples"] = [float(np.abs(first[:, i] @ other[:, i])) for i in range(LEADING)]
    common.table(["model", "method", "least cosine of ten, unsigned", "least gap between eigenvalues", "share of the whole in the ten"], rows)
    print("the same components from 4096 other samples, unsigned cosine:", " ".join(f"{c:.2f}" for c in figures["pca of other samples"]))
    common.keep(work, "directions", figures)
