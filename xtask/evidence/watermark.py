"""Marks pictures with the tool, attacks them with Pillow and ffmpeg, reads them again; prints a table. See watermark.sh."""
import argparse
import io
import json
import pathlib
import subprocess
import time

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter
from scipy import ndimage

KEY = "the key of the evidence"


def originals(args):
    """Square pictures of one size: paintings of our models, enlarged as an export would be, then the middles of photographs
    and paintings of the sets, alternating."""
    painted = sorted(p for folder in args.painted for p in pathlib.Path(folder).rglob("*.png") if "sheet" not in p.name)
    real = [sorted(p for p in pathlib.Path(folder).rglob("*.jpg")) for folder in args.sets]
    mixed = [p for row in zip(*(r[:: max(1, len(r) // args.pictures)] for r in real)) for p in row]
    mixed += [p for r in real for p in r if p not in set(mixed)]
    wanted = max(1, args.pictures // 4)
    painted = painted[:: max(1, len(painted) // wanted)][:wanted]
    for kind, path in [("painted", p) for p in painted] + [("real", p) for p in mixed[: args.pictures - len(painted)]]:
        image = Image.open(path).convert("RGB")
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        image = image.crop((left, top, left + side, top + side))
        filters = Image.Resampling
        yield kind, path, image.resize((args.size, args.size), filters.BICUBIC if side < args.size else filters.LANCZOS)


def coded(image, kind, **options):
    data = io.BytesIO()
    image.save(data, kind, **options)
    return Image.open(io.BytesIO(data.getvalue())).convert("RGB")


def through_h264(image, crf):
    """A still as one frame of H.264, yuv420p, and back."""
    run = lambda args, data: subprocess.run(["ffmpeg", "-v", "error", *args], input=data, capture_output=True, check=True).stdout
    png = io.BytesIO()
    image.save(png, "PNG", compress_level=1)
    scale = "scale=trunc(iw/2)*2:trunc(ih/2)*2"
    video = run(["-f", "png_pipe", "-i", "-", "-vf", scale, "-c:v", "libx264", "-threads", "1", "-crf", str(crf), "-pix_fmt", "yuv420p", "-f", "matroska", "-"], png.getvalue())
    back = run(["-i", "-", "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-threads", "1", "-"], video)
    return Image.open(io.BytesIO(back)).convert("RGB")


def part(image, area, at):
    """A cut to a share of the area, its corner at a share of what is left over."""
    w, h = (int(side * area**0.5) for side in image.size)
    x, y = int((image.width - w) * at[0]), int((image.height - h) * at[1])
    return image.crop((x, y, x + w, y + h))


def attacks(image, i):
    rng = np.random.default_rng(i)
    at = rng.random(2)
    w, h = image.size
    resized = lambda f: image.resize((round(w * f), round(h * f)), Image.Resampling.LANCZOS)
    yield "clean", image
    for quality in (90, 75, 50, 30):
        yield f"JPEG {quality}", coded(image, "JPEG", quality=quality)
    yield "WebP 75", coded(image, "WEBP", quality=75)
    yield "H.264 CRF 23", through_h264(image, 23)
    for factor in (0.5, 0.75, 1.5, 2.0):
        yield f"resize {factor}", resized(factor)
    yield "resize 0.75 + JPEG 75", coded(resized(0.75), "JPEG", quality=75)
    for area in (75, 50, 25):
        yield f"crop to {area} % area", part(image, area / 100, at)
    yield "crop to 50 % + JPEG 75", coded(part(image, 0.5, at), "JPEG", quality=75)
    yield "brightness 1.5", ImageEnhance.Brightness(image).enhance(1.5)
    yield "contrast 0.6", ImageEnhance.Contrast(image).enhance(0.6)
    yield "grey", image.convert("L").convert("RGB")
    pixels = np.asarray(image).astype(float)
    yield "noise, deviation 8", Image.fromarray(np.clip(pixels + rng.normal(0, 8, pixels.shape), 0, 255).astype("uint8"))
    yield "blur, radius 1", image.filter(ImageFilter.GaussianBlur(1))
    yield "median 3 × 3", image.filter(ImageFilter.MedianFilter(3))
    yield "flip", image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    yield "quarter turn", image.transpose(Image.Transpose.ROTATE_90)
    yield "turn by 2°", image.rotate(2, Image.Resampling.BICUBIC)


def psnr(a, b):
    error = ((np.asarray(a, float) - np.asarray(b, float)) ** 2).mean()
    return 10 * np.log10(255**2 / error) if error else np.inf


def ssim(a, b):
    """Structural similarity of the lumas (Wang et al. 2004), Gaussian window of deviation 1.5."""
    a, b = (np.asarray(x.convert("L"), float) for x in (a, b))
    blur = lambda x: ndimage.gaussian_filter(x, 1.5)
    ma, mb = blur(a), blur(b)
    va, vb, c = blur(a * a) - ma * ma, blur(b * b) - mb * mb, blur(a * b) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return (((2 * ma * mb + c1) * (2 * c + c2)) / ((ma * ma + mb * mb + c1) * (va + vb + c2))).mean()


def tool(args, words, lines):
    done = subprocess.run([args.tool, *words], input="\n".join(lines), capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def mark_ours(args, sources, bits):
    """Marked pictures and their ids; those that an earlier run left in the folder are taken as they are."""
    ids = [str(n) for n in np.random.default_rng(7).integers(0, 1 << bits, len(sources))]
    files = [args.out / "marked" / f"{i:05}.png" for i in range(len(sources))]
    if not all(file.exists() for file in files):
        rows = tool(args, ["embed", KEY, str(args.out / "marked")], [f"{n} {p}" for n, p in zip(ids, sources)])
        speed = np.array([float(row[5]) for row in rows])
        survived = np.mean([row[4] == "true" for row in rows])
        print(f"  embed: median {np.median(speed):.0f} ms, slowest {speed.max():.0f} ms; survived its own trial {survived:.1%}")
    return [Image.open(file).convert("RGB") for file in files], ids


def read_ours(args, marked, ids):
    """Share of ids read, per attack. Pictures go through in a fixed random order, a few at a time, until all are done or the
    minutes are over."""
    folder, hit, speed, wrong, began = args.out / "attacked", {}, {}, 0, time.time()
    folder.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(9).permutation(len(marked))
    done = 0
    for batch in np.array_split(order, -(-len(order) // 4)):
        if time.time() - began > args.minutes * 60:
            break
        expected = []
        for i in batch:
            for j, (name, attacked) in enumerate(attacks(marked[i], i)):
                expected.append((folder / f"{i:04}-{j:02}.bmp", name, ids[i]))
                attacked.save(expected[-1][0])
        rows = tool(args, ["detect", KEY], [str(path) for path, *_ in expected])
        for (path, name, known), row in zip(expected, rows):
            hit.setdefault(name, []).append(row[1] == known)
            speed.setdefault(name, []).append(float(row[7]))
            wrong += row[1] not in ("-", known)
            path.unlink()
        done += len(batch)
    print(f"  {done} pictures attacked; wrong ids read: {wrong} of {done * len(hit)}")
    for name in ("clean", "flip", "resize 0.75"):
        print(f"  detect, {name}: median {np.median(speed[name]):.0f} ms, slowest {np.max(speed[name]):.0f} ms")
    return {name: float(np.mean(values)) for name, values in hit.items()}


def riva(originals_):
    """RivaGAN of invisible-watermark: 32 bits without a checksum; a message counts when all 32 are right."""
    from imwatermark.rivaGan import RivaWatermark

    RivaWatermark.loadModel()
    rng, hit, marked = np.random.default_rng(8), {}, []
    for i, image in enumerate(originals_):
        bits = rng.integers(0, 2, 32)
        frame = np.asarray(image)[:, :, ::-1].copy()
        image = Image.fromarray(RivaWatermark(watermarks=bits.tolist()).encode(frame)[:, :, ::-1].copy())
        marked.append(image)
        for name, attacked in attacks(image, i):
            got = RivaWatermark(watermarks=bits.tolist()).decode(np.asarray(attacked)[:, :, ::-1].copy())
            hit.setdefault(name, []).append(bool((got == bits).all()))
    return marked, {name: float(np.mean(values)) for name, values in hit.items()}


def quality(name, before, after):
    p, s = [psnr(a, b) for a, b in zip(before, after)], [ssim(a, b) for a, b in zip(before, after)]
    print(f"  {name}: PSNR mean {np.mean(p):.2f} dB, lowest {min(p):.2f}; SSIM mean {np.mean(s):.4f}, lowest {min(s):.4f}")
    return {"psnr_mean_db": float(np.mean(p)), "psnr_min_db": float(min(p)), "ssim_mean": float(np.mean(s)), "ssim_min": float(min(s))}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--pictures", type=int, required=True)
    parser.add_argument("--riva", type=int, default=1, help="0 none, 1 all, else so many pictures")
    parser.add_argument("--minutes", type=float, default=600, help="the longest time for attacks and reading")
    parser.add_argument("--sets", nargs="+", required=True)
    parser.add_argument("--painted", nargs="+", default=[])
    args = parser.parse_args()
    began, folder = time.time(), args.out / "originals"
    folder.mkdir(parents=True, exist_ok=True)
    sources, before, kinds = [], [], []
    for i, (kind, _, image) in enumerate(originals(args)):
        sources.append(folder / f"{i:04}.png")
        image.save(sources[-1], compress_level=1)
        before.append(image)
        kinds.append(kind)
    bits = 48 if args.size >= 256 else 24
    print(f"{args.size} px, {bits} bit, {len(before)} pictures, {kinds.count('painted')} of them painted by our models")
    marked, ids = mark_ours(args, sources, bits)
    result = {"ours": {"quality": quality("ours", before, marked), "read": read_ours(args, marked, ids)}}
    if args.riva:
        theirs = before[:: max(1, len(before) // args.riva)][: args.riva] if args.riva > 1 else before
        marked, hit = riva(theirs)
        result["rivagan"] = {"quality": quality(f"RivaGAN ({len(theirs)})", theirs, marked), "read": hit}
    for name, share in result["ours"]["read"].items():
        rival = f"{result['rivagan']['read'][name]:8.3f}" if "rivagan" in result else ""
        print(f"  {name:<24}{share:8.3f}{rival}")
    (args.out / "result.json").write_text(json.dumps(result, indent=1))
    print(f"  {time.time() - began:.0f} s")


main()
