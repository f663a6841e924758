#!/usr/bin/env bash
# Does a model paint what it is asked for? A network of PyTorch that never saw a painted picture learns from the real ones to name class
# and style and to match pictures with captions; then it judges the model, beside held-out real pictures. The table of docs/results.md.
# MODEL (illustration-128), DATASET (illustration-128), PSI (1) and THREADS (2) may be set; the dataset must have classes, styles, captions.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PINXIT_HOME=${PINXIT_HOME:-.xtask/home}
model=${MODEL:-illustration-128} data=${DATASET:-illustration-128} psi=${PSI:-1} work=${WORK:-.xtask/obey}
name=$(basename "$model" .safetensors)
pinxit=${PINXIT:-target/release/pinxit}
test -n "${PINXIT:-}" || cargo build --quiet --release --package pinxit
python=$(python3 benches/peers/setup.py .xtask/peers | tail -1)
test -f "$work/$data/labels.csv" || $pinxit --quiet datasets export "$data" -o "$work/$data"
out=$work/$name-psi$psi
rm -rf "$out" && mkdir -p "$out"
$python xtask/evidence/obey.py ask "$work/$data" "$out"
# A line: the folder, and what is asked for.
while IFS=$'\t' read -r folder kind class style text; do
  case $kind in
    labels) $pinxit --quiet generate "$model" --class "$class" --style "$style" --seeds 0-15 --psi "$psi" -o "$out/$folder" ;;
    caption) $pinxit --quiet generate "$model" --class "$class" --style "$style" --prompt "$text" --seeds 0-3 --psi "$psi" -o "$out/$folder" ;;
  esac < /dev/null > /dev/null
done < "$out/asked.tsv"
$python xtask/evidence/obey.py judge "$work/$data" "$out" "${THREADS:-2}"
