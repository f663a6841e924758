"""Tunes the peers in good faith: six settings each of learning rate and γ, the same short budget, judged by the race's own measure.

    python sweep.py --data DIR --size 64 --hours 0.1 --threads 2 --bf16 --out OUT --save settings.json \\
        --score 'pinxit evaluate --pictures {pictures} --dataset NAME --json' --better result.mean.kid:low,result.mean.coverage:high,result.mean.swd:low

`--score` is a command whose output ends in one JSON object (a line of its own, or all of the output); `--better` names its figures
(dots for nesting) and which way is better. One figure alone selects collapsed models, so the choice is the smallest mean rank over all
of them. The trainers read the file by `--settings`. A trial that is in the file already is not run again; one that fails comes last.
"""
import argparse
import itertools
import json
import pathlib
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
# γ is R1's weight for StyleGAN2 (ADA's rule gives 0.05 at 64 px and batch 16), the reconstruction's for FastGAN, R1's and R2's for R3GAN.
GRIDS = {
    "stylegan2_ada": {"lr": [1e-3, 2.5e-3], "gamma": [0.01, 0.05, 0.25]},
    "fastgan": {"lr": [1e-4, 2e-4, 5e-4], "gamma": [0.3, 1.0]},
    "r3gan": {"lr": [2e-4, 5e-4], "gamma": [0.2, 1.0, 4.0]},
}


def last_object(text):
    """The output's last line as JSON, or the whole output."""
    try:
        return json.loads(text.strip().splitlines()[-1])
    except (json.JSONDecodeError, IndexError):
        return json.loads(text)


def figure(report, name):
    for part in name.split("."):
        report = report[int(part) if isinstance(report, list) else part]
    return float(report)


def trial(o, peer, settings):
    """Trains, paints and scores one setting: what was run, what it cost and its figures (None where it failed)."""
    name = "-".join([peer, *(f"{k}{v:g}" for k, v in settings.items())])
    out = pathlib.Path(o.out) / name
    flags = {"data": o.data, "size": o.size, "hours": o.hours, "threads": o.threads, "seed": o.seed, "out": out}
    flags |= {"sample": o.pictures, **settings}
    command = [sys.executable, HERE / f"{peer}.py", *(f"--{k}={v}" for k, v in flags.items() if v is not None), *o.more]
    result = {"settings": settings, "figures": None}
    try:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        lines = (out / "log.jsonl").read_text().splitlines()
        result |= {k: v for k, v in json.loads(lines[-1]).items() if k in ("images", "seconds", "cpu_seconds")}
        score = shlex.split(o.score.replace("{pictures}", shlex.quote(str(out / "samples"))))
        report = last_object(subprocess.run(score, check=True, capture_output=True, text=True).stdout)
        result["figures"] = {name: figure(report, name) for name in o.better}
    except (subprocess.CalledProcessError, KeyError, ValueError) as error:
        result["failed"] = str(error)[-300:]
    return result


def choose(trials, better):
    """Gives every trial its mean rank (0 is best) and returns the settings of the best; a failed one ranks last everywhere."""
    for t in trials:
        t["mean_rank"] = 0.0
    for name, way in better.items():
        sign = 1 if way == "low" else -1
        value = lambda t: sign * t["figures"][name] if t["figures"] else float("inf")
        for t in trials:
            t["mean_rank"] += sum(value(u) < value(t) for u in trials) / len(better)
    good = [t for t in trials if t["figures"]]
    return min(good, key=lambda t: t["mean_rank"])["settings"] if good else {}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--size", type=int, default=64)
    p.add_argument("--hours", type=float, default=0.1)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--out", required=True, help="folder of the trials")
    p.add_argument("--save", required=True, help="JSON of the choices and all trials")
    p.add_argument("--pictures", type=int, default=1000)
    p.add_argument("--score", required=True)
    p.add_argument("--better", required=True)
    p.add_argument("--only", choices=sorted(GRIDS), action="append", help="one trainer; again for more")
    p.add_argument("--grid", type=json.loads, default=GRIDS, help="JSON in place of the grids above")
    o, o.more = p.parse_known_args()  # the rest, such as --bf16 or --width, goes to every trainer
    o.better = dict(item.split(":") for item in o.better.split(","))
    path = pathlib.Path(o.save)
    saved = json.loads(path.read_text()) if path.exists() else {}
    how = {k: v for k, v in vars(o).items() if k not in ("only", "grid", "out", "save")}
    if saved.setdefault("how", how) != how:
        raise SystemExit(f"{path} holds trials made in another way: choose another --save")
    for peer in o.only or GRIDS:
        trials = saved.setdefault(peer, {"chosen": {}, "trials": []})["trials"]
        for values in itertools.product(*o.grid[peer].values()):
            settings = dict(zip(o.grid[peer], values))
            if any(t["settings"] == settings for t in trials):
                continue
            trials.append(trial(o, peer, settings))
            print(json.dumps({"peer": peer, **trials[-1]}), flush=True)
            saved[peer]["chosen"] = choose(trials, o.better)
            path.with_name(path.name + ".partial").write_text(json.dumps(saved, indent=1) + "\n")
            path.with_name(path.name + ".partial").replace(path)
        print(json.dumps({"peer": peer, "chosen": saved[peer]["chosen"]}), flush=True)


if __name__ == "__main__":
    main()
