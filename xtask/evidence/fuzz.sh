#!/usr/bin/env bash
# Coverage-guided fuzzing under AddressSanitizer: fuzz.sh [--minutes N] [--keep] [TARGET...]. Ten minutes a target, one after another.
# Inputs that reach something new grow in .xtask/fuzz/corpus; --keep writes the fewest of them that reach as much into fuzz/corpus.
# A crash, an input of more than 25 s or more than 2 GiB ends it; the input then lies in fuzz/artifacts/TARGET.
# Needs rustup (a nightly compiler is installed when there is none) and a C++ compiler for libFuzzer.
set -euo pipefail
minutes=10 keep=no targets=()
while test $# -gt 0; do
  case $1 in
    --minutes) minutes=$2 && shift ;;
    --keep) keep=yes ;;
    -*) echo "fuzz: no option $1" >&2 && exit 2 ;;
    *) targets+=("$1") ;;
  esac
  shift
done
test ${#targets[@]} -gt 0 || targets=(verify import watermark recipe model ledger)

place=$PWD/.xtask/fuzz
export PATH=$place/bin:$PATH
cargo +nightly --version >/dev/null 2>&1 || rustup toolchain install nightly --profile minimal
command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --version ^0.13 --locked --root "$place"
mkdir -p "$place/logs"

# Bytes of an input: the largest seed of all is a signed TIFF of 26 kB.
most_len=32768
# Seconds are those of a busy machine, with AddressSanitizer: about five of a release build on a free one.
limits=(-timeout=25 -rss_limit_mb=2048 -max_len=$most_len)

# Bytes that a target's kept inputs may take together; largest ones are left out first.
most_kept=80000

keep_fewest() {
  local target=$1 fewest=$place/fewest
  rm -rf "$fewest" && mkdir -p "$fewest"
  cargo +nightly fuzz run "$target" "$fewest" "$place/corpus/$target" "$PWD/fuzz/corpus/$target" "$PWD/fuzz/seeds/$target" -- \
    -merge=1 "${limits[@]}" >"$place/logs/$target.merge.log" 2>&1
  rm -rf "fuzz/corpus/$target" && mkdir -p "fuzz/corpus/$target"
  local sum=0 size file
  while read -r size file; do
    sum=$((sum + size))
    test $sum -le $most_kept || break
    cp "$fewest/$file" "fuzz/corpus/$target/"
  done < <(find "$fewest" -type f -printf '%s %f\n' | sort -n)
}

for target in "${targets[@]}"; do
  mkdir -p "$place/corpus/$target" "fuzz/corpus/$target"
  cargo +nightly fuzz build "$target"
  log=$place/logs/$target.log
  if ! cargo +nightly fuzz run "$target" "$place/corpus/$target" "$PWD/fuzz/corpus/$target" "$PWD/fuzz/seeds/$target" -- \
    "${limits[@]}" -max_total_time=$((minutes * 60)) -print_final_stats=1 >"$log" 2>&1; then
    tail -n 40 "$log"
    echo "fuzz: $target stopped; see $log" >&2
    exit 1
  fi
  last=$(grep -E '^#[0-9]+.*cov:' "$log" | tail -n 1)
  executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  slowest=$(sed -n 's/^stat::slowest_unit_time_sec: *//p' "$log")
  peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
  echo "$target: $minutes min, $executed inputs, $(grep -oE 'cov: [0-9]+ ft: [0-9]+ corp: [0-9]+' <<<"$last"), slowest ${slowest} s, peak ${peak} MiB, nothing found"
  test $keep = no || keep_fewest "$target"
done
