#!/usr/bin/env bash
# An hour of training with the defaults: is memory flat, is speed flat? THREADS (default 2) and FOR (default 1h) may be set.
set -euo pipefail
test -d .xtask/sets/fluent3d || bash xtask/evidence/sets.sh
export PINXIT_HOME=${PINXIT_HOME:-.xtask/home}
cargo build --quiet --release --package pinxit
pinxit="${PINXIT:-target/release/pinxit} --threads ${THREADS:-2}"
test -d "$PINXIT_HOME/datasets/fluent3d" || $pinxit import .xtask/sets/fluent3d --into fluent3d --size 64
name=hour-$(date +%s)
memory=$(mktemp)
$pinxit --no-progress train fluent3d --name "$name" --preset xs-64 --condition class --for "${FOR:-1h}" &
trainer=$!
trap 'kill $trainer 2>/dev/null || true' EXIT
while sleep 30 && kill -0 $trainer 2>/dev/null; do
  echo "$SECONDS $(awk '/^VmRSS/ { print $2 / 1024 }' /proc/$trainer/status 2>/dev/null)" >> "$memory"
done
wait $trainer
python3 - "$memory" "$PINXIT_HOME/runs/$name/stats.jsonl" <<'PY'
"""Memory and speed of every sixth of the run."""
import json, statistics, sys
seen = [tuple(map(float, line.split())) for line in open(sys.argv[1]) if len(line.split()) == 2]
ticks = [json.loads(line) for line in open(sys.argv[2])]
end = seen[-1][0]
print("| part | resident MiB, least to most | img/s, median of the ticks |\n|---|--:|--:|")
for part in range(6):
    inside = lambda t: end * part / 6 <= t < end * (part + 1) / 6
    resident = [m for t, m in seen if inside(t)]
    speed = [t["img_per_sec"] for t in ticks if inside(t["secs"]) and t["img_per_sec"] > 0]
    print(f"| {part + 1} of 6 | {min(resident):.0f} to {max(resident):.0f} | {statistics.median(speed):.1f} |")
PY
