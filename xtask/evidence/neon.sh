#!/usr/bin/env bash
# The tests of pinxit-tensor for aarch64, on an emulator: portable and NEON kernels against the plain loops.
# Needs `rustup target add aarch64-unknown-linux-gnu` and, in Debian's words, qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross.
set -euo pipefail
for program in qemu-aarch64 aarch64-linux-gnu-gcc; do
  command -v $program >/dev/null || { echo "no $program: apt install qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross" >&2; exit 1; }
done
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu"
cargo test --target aarch64-unknown-linux-gnu --package pinxit-tensor --lib --tests --no-fail-fast
