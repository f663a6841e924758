"""The table of all seeds in every precision: mean and standard deviation between seeds, t (Welch) against f32-direct."""
import glob
import json
import statistics
import sys

WAYS = ["f32-direct", "f32", "bf16"]
#: Name in the report, and for people.
METRICS = [
    ("kid", "KID (lower)"),
    ("swd", "sliced Wasserstein (lower)"),
    ("precision", "precision"),
    ("recall", "recall"),
    ("density", "density"),
    ("coverage", "coverage"),
    ("self_nn", "self-NN"),
    ("label_accuracy", "label accuracy"),
]


def figures(home, way, metric):
    """One figure of every seed."""
    # The report is the last of the events.
    reports = [json.loads(open(path).readlines()[-1]) for path in sorted(glob.glob(f"{home}/{way}-[0-9].json"))]
    return [report["result"]["mean"][metric] for report in reports]


def welch(a, b):
    """Difference of the means over its standard error."""
    error = (statistics.variance(a) / len(a) + statistics.variance(b) / len(b)) ** 0.5
    return (statistics.mean(a) - statistics.mean(b)) / error


def main(home):
    seeds = [len(figures(home, way, METRICS[0][0])) for way in WAYS]
    print("| | {}, {} seeds | {}, {} seeds | t | {}, {} seeds | t |".format(*sum(zip(WAYS, seeds), ())))
    print("|---|--:|--:|--:|--:|--:|")
    for metric, name in METRICS:
        direct, *others = [figures(home, way, metric) for way in WAYS]
        cell = lambda v: f"{statistics.mean(v):.3f} ± {statistics.stdev(v):.3f}"
        rest = " | ".join(f"{cell(v)} | {welch(v, direct):.1f}" for v in others)
        print(f"| {name} | {cell(direct)} | {rest} |")


main(sys.argv[1])
