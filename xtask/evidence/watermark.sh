#!/usr/bin/env bash
# The watermark under attacks done by Pillow and ffmpeg, beside RivaGAN; false positives on unmarked pictures; the tables of
# docs/watermark.md. PICTURES (200) a size, SIZES ("512 256 128"), DECODES (100000) and WINDOW (128 px) may be set. RIVA says on how
# many pictures RivaGAN is tried (20; 0 none), MINUTES (600) when the attacks of a size end. What was marked is not marked again.
# Needs ffmpeg with libx264, the sets of `cargo xtask evidence sets`, and pictures of our models in PAINTED (.xtask/home/pictures).
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${OUT:-.xtask/watermark-out} venv=.xtask/watermark
command -v ffmpeg > /dev/null || { echo "ffmpeg is missing: apt-get install ffmpeg" >&2; exit 1; }
if ! test -x "$venv/bin/python" || ! "$venv/bin/python" -c "import PIL, numpy, scipy, onnxruntime, imwatermark.rivaGan" 2> /dev/null; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet pillow numpy scipy onnxruntime opencv-python-headless PyWavelets
  "$venv/bin/pip" install --quiet --no-deps invisible-watermark
  # RivaGAN's wrapper wants PyTorch; the peers of the benchmarks have one for CPUs.
  peers=$(python3 benches/peers/setup.py .xtask/peers | tail -1)
  "$peers" -c "import sysconfig; print(sysconfig.get_paths()['purelib'])" > "$("$venv/bin/python" -c "import sysconfig; print(sysconfig.get_paths()['purelib'])")/peers.pth"
fi
cargo build --quiet --release -p pinxit-trust --example watermark
tool=${CARGO_TARGET_DIR:-target}/release/examples/watermark
for size in ${SIZES:-512 256 128}; do
  "$venv/bin/python" xtask/evidence/watermark.py --tool "$tool" --out "$out/$size" --size "$size" --pictures "${PICTURES:-200}" \
    --riva "${RIVA:-20}" --minutes "${MINUTES:-600}" --sets .xtask/sets/landscapes-clean .xtask/sets/met --painted ${PAINTED:-.xtask/home/pictures}
done
if [ "${DECODES:-100000}" != 0 ]; then
  find -L .xtask/sets/landscapes-clean .xtask/sets/met -name '*.jpg' | LC_ALL=C sort \
    | "$tool" windows "unmarked" "${DECODES:-100000}" "${WINDOW:-128}" | tee "$out/unmarked.txt"
fi
