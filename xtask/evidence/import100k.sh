#!/usr/bin/env bash
# 100,000 pictures through one import: peak of resident memory, time, and a second import killed half-way and resumed, which must
# give the same bytes. 70,000 are fashion pictures with a manifest, 30,000 are drawn here.
set -euo pipefail
sets=${SETS:-.xtask/sets}
work=${WORK:-.xtask/import100k}
test -d "$sets/fashion" || bash xtask/evidence/sets.sh
mkdir -p "$work"
test -d "$work/tiles" || python3 - "$work/tiles" <<'PY'
"""30,000 bitmaps of 48 x 48 px in three classes, each of 36 tiles in colours of its own; the same on every machine."""
import pathlib, random, struct, sys
out, made = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[1] + ".partial")
head = b"BM" + struct.pack("<IIIIIIHHIIIIII", 54 + 48 * 48 * 3, 0, 54, 40, 48, 48, 1, 24, 0, 48 * 48 * 3, 2835, 2835, 0, 0)
rng = random.Random(1)
for i in range(30_000):
    rows = (b"".join(rng.randbytes(3) * 8 for _ in range(6)) * 8 for _ in range(6))
    path = made / ("red", "green", "blue")[i % 3] / f"{i:05}.bmp"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head + b"".join(rows))
made.rename(out)
PY
cargo build --quiet --release --package pinxit-dataset --example measure_import
measure=(target/release/examples/measure_import "$sets/fashion,$work/tiles")
rm -rf "$work/whole" "$work/killed"
echo "whole:"
"${measure[@]}" "$work/whole/set" 32 32
echo "killed when half of the pictures are read, then resumed:"
"${measure[@]}" "$work/killed/set" 32 32 >/dev/null &
pixels=$work/killed/set.partial/work/pixels
half=$((50000 * 32 * 32 * 3))
until test "$(stat -c %s "$pixels" 2>/dev/null || echo 0)" -ge "$half"; do
  kill -0 $! || { echo "it was done before the kill: nothing is shown" >&2; exit 1; }
  sleep 0.1
done
kill -KILL $!
wait $! 2>/dev/null || true
"${measure[@]}" "$work/killed/set" 32 32
diff -r "$work/whole/set" "$work/killed/set"
echo "the same bytes"
