#!/usr/bin/env bash
# Fluent 3D emoji at 64 px by class, six seeds (SEEDS) in every precision, f32-direct (no faster way than forming every product) what
# the others are held against: the table of docs/results.md.
set -euo pipefail
test -d .xtask/sets/fluent3d || bash xtask/evidence/sets.sh
export PINXIT_HOME=${PINXIT_HOME:-.xtask/home}
cargo build --quiet --release --package pinxit
pinxit="target/release/pinxit --threads 1 --no-progress"
test -d "$PINXIT_HOME/datasets/fluent3d" || $pinxit import .xtask/sets/fluent3d --into fluent3d --size 64
for seed in ${SEEDS:-1 2 3 4 5 6}; do
  for precision in f32-direct f32 bf16; do
    name=$precision-$seed
    test -f "$PINXIT_HOME/$name.json" && continue
    if test -d "$PINXIT_HOME/runs/$name"; then
      $pinxit train --resume $name
    else
      $pinxit train fluent3d --name $name --preset xs-64 --condition class --kimg 27 --seed $seed \
        --set precision=$precision --set metric_pictures=0
    fi
    $pinxit evaluate $name --dataset fluent3d --repeats 1 --json > "$PINXIT_HOME/$name.part"
    mv "$PINXIT_HOME/$name.part" "$PINXIT_HOME/$name.json"
  done
done
python3 xtask/evidence/precision.py "$PINXIT_HOME"
