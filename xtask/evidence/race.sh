#!/usr/bin/env bash
# pinxit against StyleGAN2-ADA, FastGAN and R3GAN: the same pictures, the same seconds on the same cores, the same metrics in two
# feature spaces; the table of docs/results.md. SETS ("landscapes fluent3d"), HOURS (1), SWEEP (hours of each of the peers' six trials,
# 0.05; 0 leaves them their defaults), SEEDS ("1") and THREADS (2) may be set. Whatever is done already is not done again, and a
# run that was stopped goes on.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PINXIT_HOME=${PINXIT_HOME:-.xtask/home}
hours=${HOURS:-1} threads=${THREADS:-2} race=${RACE:-.xtask/race}
seconds=$(python3 -c "print(round($hours * 3600))")
python=$(python3 benches/peers/setup.py .xtask/peers | tail -1)
cargo build --quiet --release --package pinxit
pinxit="target/release/pinxit --threads $threads --no-progress"
peers="stylegan2_ada fastgan r3gan"
take_in() {
  case $1 in
    fluent3d) $pinxit import .xtask/sets/fluent3d --into race-fluent3d --size 64 ;;
    landscapes) $pinxit import .xtask/sets/landscapes --into race-landscapes --size 64 --patches 12 \
      --skip-class nasa --skip-class space --skip-class station --skip-class loc --skip-class earthrise ;;
    met) $pinxit import .xtask/sets/met --into race-met --size 64 --patches 12 ;;
    fashion) $pinxit import .xtask/sets/fashion --into race-fashion --size 32 ;;
  esac
}
for set in ${SETS:-landscapes fluent3d}; do
  test -d ".xtask/sets/$set" || bash xtask/evidence/sets.sh
  data=race-$set files=$race/$set/pictures size=$([ "$set" = fashion ] && echo 32 || echo 64)
  by_class=$(case $set in landscapes | met) echo --no-by-class ;; *) echo --by-class ;; esac)
  condition=$(case $set in landscapes | met) echo none ;; *) echo class ;; esac)
  test -d "$PINXIT_HOME/datasets/$data" || take_in "$set"
  test -f "$files/labels.csv" || $pinxit datasets export $data -o "$files"
  # Each peer's own lr and gamma, by the race's own measures.
  settings=
  if [ "${SWEEP:-0.05}" != 0 ]; then
    $python benches/peers/race/sweep.py --data "$files" --size $size --hours "${SWEEP:-0.05}" --threads "$threads" --bf16 $by_class \
      --out "$race/$set/sweep" --save "$race/$set/settings.json" --pictures 1000 \
      --score "$pinxit evaluate --pictures {pictures} --dataset $data --samples 1000 --json" \
      --better result.mean.kid:low,result.mean.coverage:high,result.mean.swd:low
    settings="--settings $race/$set/settings.json"
  fi
  for seed in ${SEEDS:-1}; do
    name=race-$set-$hours-$seed ours=$race/$set/pinxit-$hours-$seed
    if ! test -f "$PINXIT_HOME/models/$name.safetensors"; then
      if test -d "$PINXIT_HOME/runs/$name"; then
        $pinxit train --resume "$name"
      else
        $pinxit train $data --name "$name" --condition $condition --for "${seconds}s" --seed "$seed" --set metric_pictures=0
      fi
    fi
    test -f "$ours.json" || { $pinxit evaluate "$name" --learnt --repeats 1 --json > "$ours.part" && mv "$ours.part" "$ours.json"; }
    for peer in $peers; do
      out=$race/$set/$peer-$hours-$seed
      test -f "$out.json" && continue
      $python benches/peers/race/$peer.py --data "$files" --size $size --hours "$hours" --threads "$threads" --seed "$seed" --bf16 \
        $by_class $settings --out "$out" --sample 2000
      $pinxit evaluate --pictures "$out/samples" --dataset $data --learnt --json > "$out.part" && mv "$out.part" "$out.json"
    done
  done
done
python3 xtask/evidence/race.py "$race"
