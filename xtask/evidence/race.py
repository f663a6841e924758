"""The race's reports as tables: `race.py FOLDER`, one table a set and budget, both feature spaces, mean over the seeds."""
import collections
import json
import pathlib
import statistics
import sys

FIGURES = [("kid", "KID", "{:.3f}"), ("swd", "SWD", "{:.4f}"), ("coverage", "coverage", "{:.3f}"), ("precision", "precision", "{:.2f}")]
OTHERS = [("self_nn", "self-NN", "{:.2f}"), ("memorised", "memorised", "{:.3f}")]


def last_object(path):
    """The finished event's result: the last line, or the whole file."""
    text = path.read_text()
    try:
        found = json.loads(text.strip().splitlines()[-1])
    except json.JSONDecodeError:
        found = json.loads(text)
    return found.get("result", found)


def cells(reports, figures, which):
    means = lambda key: statistics.mean(which(r)[key] for r in reports)
    return [form.format(means(key)) for key, _, form in figures]


def main(folder):
    races = collections.defaultdict(lambda: collections.defaultdict(list))
    for path in sorted(pathlib.Path(folder).glob("*/*-*-*.json")):
        who, hours, _ = path.stem.rsplit("-", 2)
        races[path.parent.name, hours][who].append(last_object(path))
    for (name, hours), reports in races.items():
        head = [*(f"{n}" for _, n, _ in FIGURES + OTHERS), *(f"{n}, learnt" for _, n, _ in FIGURES)]
        print(f"\n### {name}, {hours} h\n\n| | seeds | {' | '.join(head)} |\n|---|--:|{'--:|' * len(head)}")
        row = lambda who, of, seeds: print(
            f"| {who} | {seeds} | "
            + " | ".join(cells(of, FIGURES + OTHERS, lambda r: r) + cells(of, FIGURES, lambda r: r["learnt"]))
            + " |"
        )
        for who, found in sorted(reports.items(), key=lambda item: statistics.mean(r["mean"]["kid"] for r in item[1])):
            row(who, [{**r["mean"], "learnt": r["learnt"]["mean"]} for r in found], len(found))
        some = next(iter(reports.values()))[:1]
        row("real pictures", [{**r["real"], "learnt": r["learnt"]["real"]} for r in some], "")


main(sys.argv[1])
