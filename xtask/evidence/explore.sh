#!/usr/bin/env bash
# Do the tools of `pinxit explore` do what they say? Directions beside numpy, projection beside PyTorch, the seam and the memory of loops, fifty
# drags with judges of their own, every verb on two models. The tables of docs/explore.md. Parts may be named: directions project loop drag verbs.
# MINUTES (2) of training each for two more models: one of wide pictures with classes, and the shipped one grown to 128 px. Needs ffmpeg.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=${WORK:-.xtask/explore}
export PINXIT_HOME=${PINXIT_HOME:-$work/home}
pinxit=${PINXIT:-target/release/pinxit}
test -n "${PINXIT:-}" || cargo build --quiet --release --package pinxit
python=$(python3 benches/peers/setup.py .xtask/peers | tail -1)
for tool in ffmpeg time; do
  type -P "$tool" > /dev/null || { echo "$tool is missing: apt-get install $tool" >&2; exit 1; }
done
test -d .xtask/sets/landscapes || bash xtask/evidence/sets.sh
one="$pinxit --quiet --threads 1"
models=$PINXIT_HOME/models
mkdir -p "$work" "$models"
test -f "$models/base-64.safetensors" || cp assets/models/base-64.safetensors "$models"
# The same patches and the same split as the shipped model learnt from: no rockets, no archive.
land=(--skip-class nasa --skip-class space --skip-class station --skip-class loc --skip-class earthrise)
import() { test -d "$PINXIT_HOME/datasets/$1" || $one import ".xtask/sets/$2" --into "$1" "${@:3}"; }
import landscapes landscapes --size 64 --patches 12 "${land[@]}"
import met met --size 64 --patches 4
import wide met --size 64x32
import landscapes-128 landscapes --size 128 --patches 4 "${land[@]}"
for set in landscapes met; do
  test -f "$work/$set/labels.csv" || $one datasets export "$set" -o "$work/$set"
done
test -f "$models/wide.safetensors" || $one train wide --preset xs-32 --for "${MINUTES:-2}m" --seed 1
test -f "$models/large.safetensors" || $one train landscapes-128 --name large --from base-64 --for "${MINUTES:-2}m" --seed 1
part() { $python xtask/evidence/explore "$1" "$pinxit" "$work" "${@:2}" | tee "$work/$1.log"; }
for name in ${*:-directions project loop drag verbs}; do
  case $name in
    directions | verbs) part "$name" base-64 wide ;;
    project | drag) part "$name" base-64 ;;
    loop) part "$name" large ;;
    *) echo "no part $name: directions project loop drag verbs" >&2; exit 1 ;;
  esac
done
