# Sourced by the proofs that run under AddressSanitizer: `asan VERB ...` is `cargo VERB ...` of pinxit-tensor with it, and with
# the checks that the development profile leaves out of the kernels (pointers, debug assertions) turned on again.
# The runtime comes with Rust for x86-64 Linux; RUSTC_BOOTSTRAP lets the stable compiler use it, so no nightly is needed.
asan() {
  local verb=$1
  shift
  RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/asan" \
    cargo "$verb" --config profile.dev.package.pinxit-tensor.debug-assertions=true \
    --target x86_64-unknown-linux-gnu --package pinxit-tensor "$@"
}
