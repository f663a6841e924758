#!/usr/bin/env bash
# Lays out the freely licensed picture sets in .xtask/sets (up to 266 MB of downloads). The script that knows the packages
# lies in the shared library beside the checkout; SETS_SCRIPT names it elsewhere.
set -euo pipefail
script=${SETS_SCRIPT:-../shared/reference/data/fetch_sets.py}
test -f "$script" || { echo "no $script: set SETS_SCRIPT to fetch_sets.py" >&2; exit 1; }
python3 "$script" --cache .xtask/cache --out .xtask/sets fluent3d landscapes met fashion weights
