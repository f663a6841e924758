"""PNG files with numpy alone: the peers' environment has no imaging library, and pictures are small and prepared.

Reads any non-interlaced PNG of up to 8 bits a sample; transparency is laid on white, as pinxit's import does. Writes 8-bit RGB.
"""
import struct
import zlib

import numpy as np

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunks(data, path):
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise SystemExit(f"{path}: not a PNG")
    at = 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def unfilter(raw, step):
    """Rows of many pictures at once, `[n, h, 1 + bytes]` with the filter's number first, to `[n, h, bytes]` (PNG 3rd edition, 9.2).

    `step` is the bytes of a pixel. Loops over the places of one picture and takes all pictures together.
    """
    n, h, width = raw.shape
    out = np.zeros((n, h + 1, width - 1 + step), np.int32)  # a row above and a pixel to the left, both 0
    for y in range(h):
        kind = raw[:, y, 0].astype(int)[:, None]
        for x in range(0, width - 1, step):
            a, b, c = out[:, y + 1, x : x + step], out[:, y, x + step : x + 2 * step], out[:, y, x : x + step]
            pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
            paeth = np.where((pa <= pb) & (pa <= pc), a, np.where(pb <= pc, b, c))
            guess = np.choose(kind, [0 * a, a, b, (a + b) // 2, paeth])
            out[:, y + 1, x + step : x + 2 * step] = (raw[:, y, 1 + x : 1 + x + step] + guess) & 255
    return out[:, 1:, step:].astype(np.uint8)


def colours(samples, kind, depth, width, palette, alpha, path):
    """One picture's bytes `[h, bytes]` to RGB `[h, w, 3]`, on white."""
    if depth < 8:
        bits = np.unpackbits(samples, axis=1).reshape(len(samples), -1, depth)
        samples = (bits << np.arange(depth)[::-1].astype(np.uint8)).sum(2).astype(np.uint8)[:, :width]
        if kind == 0:
            samples = samples * (255 // (2**depth - 1))
    x = samples.reshape(len(samples), width, CHANNELS[kind])
    if kind == 3:
        x, opaque = palette[x[..., 0]], np.full(len(palette), 255, np.uint8)
        if alpha is not None:
            opaque[: len(alpha)] = alpha
            x = np.concatenate([x, opaque[samples].reshape(*x.shape[:2], 1)], 2)
    elif alpha is not None:
        raise SystemExit(f"{path}: a colour key for transparency is not read: save it as RGB")
    rgb, a = (x[..., :-1], x[..., -1:] / 255.0) if x.shape[2] in (2, 4) else (x, 1.0)
    rgb = np.broadcast_to(rgb, (*rgb.shape[:2], 3))
    return np.round(rgb * a + 255 * (1 - a)).astype(np.uint8)


def read_all(paths, size, group=4096):
    """Pictures of `size` pixels a side, uint8 `[n, size, size, 3]`, in the order of the paths."""
    out, alike = np.empty((len(paths), size, size, 3), np.uint8), {}
    for i, path in enumerate(paths):
        parts, body = {}, b""
        for kind, data in chunks(path.read_bytes(), path):
            body += data if kind == b"IDAT" else b""
            parts[kind] = data
        width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", parts[b"IHDR"])
        if (width, height) != (size, size) or depth > 8 or interlaced:
            raise SystemExit(f"{path}: {width}x{height}, {depth} bits: wanted {size}x{size}, at most 8 bits, not interlaced")
        palette = np.frombuffer(parts.get(b"PLTE", b""), np.uint8).reshape(-1, 3)
        alpha = np.frombuffer(parts[b"tRNS"], np.uint8) if b"tRNS" in parts else None
        raw = np.frombuffer(zlib.decompress(body), np.uint8).reshape(size, -1)
        alike.setdefault((colour, depth), []).append((i, raw, palette, alpha))
    for (colour, depth), items in alike.items():
        step = max(1, CHANNELS[colour] * depth // 8)
        for start in range(0, len(items), group):
            part = items[start : start + group]
            for (i, _, palette, alpha), rows in zip(part, unfilter(np.stack([p[1] for p in part]), step)):
                out[i] = colours(rows, colour, depth, size, palette, alpha, paths[i])
    return out


def write(path, picture):
    """RGB uint8 `[h, w, 3]`, filter 0."""
    h, w, _ = picture.shape
    rows = np.concatenate([np.zeros((h, 1), np.uint8), picture.reshape(h, w * 3)], 1)
    head = struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
    pack = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(pack(*p) for p in parts))
