#!/usr/bin/env bash
# Public-domain landscapes at 64 px, 12 patches a picture, no labels: the run of docs/results.md. Resumes.
set -euo pipefail
test -d .xtask/sets/landscapes || bash xtask/evidence/sets.sh
export PINXIT_HOME=.xtask/home
cargo build --quiet --release --package pinxit
pinxit=target/release/pinxit
# Space stations, rockets and archive pictures are in the set, but they are no landscapes: 154 of 181 remain.
python3 - .xtask/sets/landscapes .xtask/sets/landscapes-clean <<'PY'
import json, pathlib, shutil, sys
source, clean = map(pathlib.Path, sys.argv[1:])
shutil.rmtree(clean, ignore_errors=True)
rows = [json.loads(line) for line in (source / "manifest.jsonl").open(encoding="utf-8")]
rows = [r for r in rows if r["class"] not in ("nasa", "space", "station", "loc", "earthrise")]
for r in rows:
    (clean / r["file"]).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / r["file"], clean / r["file"])
(clean / "manifest.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
PY
test -d $PINXIT_HOME/datasets/landscapes || $pinxit import .xtask/sets/landscapes-clean --into landscapes --size 64 --patches 12
if test -d $PINXIT_HOME/runs/landscapes; then
  $pinxit train --resume landscapes
else
  $pinxit train landscapes --name landscapes --preset xs-64 --condition none --kimg "${KIMG:-300}" --seed 1
fi
$pinxit evaluate landscapes --dataset landscapes
$pinxit generate landscapes --seeds 0-63 --grid --overwrite -o $PINXIT_HOME/pictures/landscapes
