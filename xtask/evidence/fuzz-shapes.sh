#!/usr/bin/env bash
# Kernels on random shapes against the plain loops, under AddressSanitizer: fuzz-shapes.sh [--minutes N] [--seed N].
# What was run is in .xtask/fuzz-shapes.log, one line a shape; the last one is where it stopped.
set -euo pipefail
. xtask/evidence/asan.sh
minutes=5 seed=$(date +%s)
while test $# -gt 0; do
  case $1 in
    --minutes) minutes=$2 ;;
    --seed) seed=$2 ;;
    *) echo "fuzz-shapes: no option $1" >&2; exit 2 ;;
  esac
  shift 2
done
mkdir -p .xtask
log=.xtask/fuzz-shapes.log
asan build --example fuzz_shapes
if asan run --quiet --example fuzz_shapes -- "$minutes" "$seed" >"$log"; then
  tail -n 1 "$log"
else
  echo "stopped at: $(tail -n 1 "$log")" >&2
  exit 1
fi
