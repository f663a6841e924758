#!/usr/bin/env bash
# Are copies caught, and nothing else? Planted copies of training works (the file itself, mirrored, a window of 80 % of the side, JPEG of
# quality 50; made by Pillow) and works held out, each through `pinxit audit --pictures`; then a model that has learnt 50 works by heart. The tables
# of docs/originality.md. SETS ("landscapes met fluent3d") and PLANTED (500) may be set; OVERFIT=0 leaves the model away.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PINXIT_HOME=${PINXIT_HOME:-.xtask/home}
work=${WORK:-.xtask/originality}
pinxit=${PINXIT:-target/release/pinxit}
test -n "${PINXIT:-}" || cargo build --quiet --release --package pinxit
pinxit="$pinxit --quiet"
python=.xtask/pillow/bin/python
test -x $python || { python3 -m venv .xtask/pillow && .xtask/pillow/bin/pip install --quiet pillow==12.0.0; }
test -d .xtask/sets || bash xtask/evidence/sets.sh
mkdir -p "$work"
take_in() {
  case $1 in
    landscapes) $pinxit import .xtask/sets/landscapes --into audit-landscapes --size 64 --patches 12 \
      --skip-class nasa --skip-class space --skip-class station --skip-class loc --skip-class earthrise ;;
    met) $pinxit import .xtask/sets/met --into audit-met --size 64 --patches 12 ;;
    fluent3d) $pinxit import .xtask/sets/fluent3d --into audit-fluent3d --size 64 ;;
  esac
}
for set in ${SETS-landscapes met fluent3d}; do
  data=audit-$set
  test -d "$PINXIT_HOME/datasets/$data" || take_in "$set"
  test -f "$work/$set/labels.csv" || $pinxit datasets export "$data" -o "$work/$set"
  rm -rf "$work/planted-$set"
  $python xtask/evidence/originality.py plant "$work/$set" "$work/planted-$set" "${PLANTED:-500}"
  for kind in exact mirrored window jpeg50; do
    $pinxit audit --pictures "$work/planted-$set/$kind" --dataset "$data" > /dev/null
  done
done
python3 xtask/evidence/originality.py table "$work" ${SETS-landscapes met fluent3d}
if [ "${OVERFIT:-1}" != 0 ]; then
  # Fifty works, no augmentation, many rounds: learnt by heart on purpose.
  test -d "$PINXIT_HOME/datasets/audit-fifty" || {
    $python xtask/evidence/originality.py some .xtask/sets/fluent3d "$work/fifty" 50
    $pinxit import "$work/fifty" --into audit-fifty --size 32
  }
  test -f "$PINXIT_HOME/models/audit-fifty.safetensors" ||
    $pinxit train audit-fifty --name audit-fifty --condition none --preset xs-32 --kimg "${KIMG:-100}" --seed 1 --no-flip \
      --set augment.strength=0 --set augment.cutout=false --set metric_pictures=0
  $pinxit audit audit-fifty
fi
