#!/usr/bin/env bash
# How many pictures does a collection need? Subsets of fluent3d (no labels) learnt by the defaults, each measured against the whole set and
# audited against its own works. SIZES ("50 100 200 500 1000 2000"), PX (32), KIMG (60) and THREADS may be set. Writes JSON into WORK.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PINXIT_HOME=${PINXIT_HOME:-.xtask/home}
work=${WORK:-.xtask/small} px=${PX:-32}
pinxit=${PINXIT:-target/release/pinxit}
test -n "${PINXIT:-}" || cargo build --quiet --release --package pinxit
pinxit="$pinxit --quiet ${THREADS:+--threads $THREADS}"
test -d .xtask/sets/fluent3d || bash xtask/evidence/sets.sh
mkdir -p "$work"
test -d "$PINXIT_HOME/datasets/small-all-$px" || $pinxit import .xtask/sets/fluent3d --into "small-all-$px" --size "$px"
for size in ${SIZES:-50 100 200 500 1000 2000}; do
  name=small-$size-$px
  test -d "$PINXIT_HOME/datasets/$name" || {
    python3 xtask/evidence/originality.py some .xtask/sets/fluent3d "$work/$name" "$size"
    $pinxit import "$work/$name" --into "$name" --size "$px"
  }
  if test -d "$PINXIT_HOME/runs/$name"; then
    $pinxit train --resume "$name"
  else
    $pinxit train "$name" --name "$name" --condition none --kimg "${KIMG:-60}" --seed 1
  fi
  $pinxit audit "$name" --samples 500 --json > "$work/$name.audit.json"
  $pinxit evaluate "$name" --dataset "small-all-$px" --samples 500 --json > "$work/$name.evaluate.json"
done
