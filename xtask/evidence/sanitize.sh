#!/usr/bin/env bash
# The tests of pinxit-tensor, every instruction set of this machine in both precisions, under AddressSanitizer.
set -euo pipefail
. xtask/evidence/asan.sh
asan test --lib --tests --no-fail-fast
