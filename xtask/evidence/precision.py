"""The table of three seeds in every precision: mean and standard deviation between seeds, t (Welch) against f32-direct."""
import json
import statistics
import sys

WAYS = ["f32-direct", "f32", "bf16"]
SEEDS = [1, 2, 3]
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
    reports = [json.loads(open(f"{home}/{way}-{seed}.json").readlines()[-1]) for seed in SEEDS]
    return [report["result"]["mean"][metric] for report in reports]


def welch(a, b):
    """Difference of the means over its standard error."""
    error = (statistics.variance(a) / len(a) + statistics.variance(b) / len(b)) ** 0.5
    return (statistics.mean(a) - statistics.mean(b)) / error


def main(home):
    print("| | f32-direct | f32 | t | bf16 | t |\n|---|--:|--:|--:|--:|--:|")
    for metric, name in METRICS:
        direct, *others = [figures(home, way, metric) for way in WAYS]
        cell = lambda v: f"{statistics.mean(v):.3f} ± {statistics.stdev(v):.3f}"
        rest = " | ".join(f"{cell(v)} | {welch(v, direct):.1f}" for v in others)
        print(f"| {name} | {cell(direct)} | {rest} |")


main(sys.argv[1])
