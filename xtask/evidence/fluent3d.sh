#!/usr/bin/env bash
# Fluent 3D emoji at 64 px by class: the run of docs/results.md. Resumes where a stopped run left off.
set -euo pipefail
test -d .xtask/sets/fluent3d || bash xtask/evidence/sets.sh
export PINXIT_HOME=.xtask/home
cargo build --quiet --release --package pinxit
pinxit=target/release/pinxit
test -d $PINXIT_HOME/datasets/fluent3d || $pinxit import .xtask/sets/fluent3d --into fluent3d --size 64
if test -d $PINXIT_HOME/runs/fluent3d; then
  $pinxit train --resume fluent3d
else
  $pinxit train fluent3d --name fluent3d --preset xs-64 --condition class --kimg "${KIMG:-400}" --seed 1
fi
$pinxit evaluate fluent3d --dataset fluent3d
$pinxit generate fluent3d --seeds 0-63 --grid --overwrite -o $PINXIT_HOME/pictures/fluent3d
