"""A second reader, written from docs/watermark.md alone: `watermark_reader.py SECRET PICTURE...` prints each id, for pictures that
lie as they were marked or were cut. Shows that the page is enough; plain Viterbi, no search for scale or turn."""
import sys

import blake3
import numpy as np
from PIL import Image
from scipy import ndimage

TILE, FORMS = 64, {48: 156, 24: 108}


def patterns(secret):
    key = blake3.blake3(secret.encode(), derive_key_context="pinxit watermark 1 key").digest()
    stream = blake3.blake3(b"pinxit watermark 1 patterns", key=key).digest(length=156 * TILE * TILE * 8)
    u = ((np.frombuffer(stream, "<u8") >> np.uint64(11)).astype(float) + 0.5) / 2.0**53
    radius, angle = np.sqrt(-2 * np.log(u[::2])), 2 * np.pi * u[1::2]
    noise = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(156, TILE, TILE)
    f = np.fft.fftfreq(TILE)
    square = f[:, None] ** 2 + f[None] ** 2
    band = np.exp(-2 * np.pi**2 * 0.8**2 * square) - np.exp(-2 * np.pi**2 * 2**2 * square)
    rows = np.fft.ifft2(np.fft.fft2(noise) * band).real.reshape(156, -1)
    for k, row in enumerate(rows):
        for before in rows[:k]:
            row -= (row @ before) * before
        row /= np.linalg.norm(row)
    return rows.reshape(156, TILE, TILE)


def seen(image):
    luma = np.asarray(image.convert("RGB"), float) @ [0.299, 0.587, 0.114]
    blur = lambda x, sigma: ndimage.gaussian_filter(x, sigma, mode="reflect", radius=int(np.ceil(4 * sigma)))
    r = blur(luma, 0.6) - blur(luma, 1.2)
    return np.clip(r / (np.sqrt(blur(r * r, 4)) + 1.5), -2.5, 2.5)


def crc24(bits):
    crc = 0xB704CE
    for bit in bits:
        carry = (crc >> 23) ^ bit
        crc = (crc << 1 & 0xFFFFFF) ^ (0x864CFB if carry else 0)
    return crc


def viterbi(soft):
    parity = lambda x: bin(x).count("1") & 1
    score, back = {0: 0.0}, []
    for a, b in soft.reshape(-1, 2):
        new = {}
        for state, s in score.items():
            for bit in (0, 1):
                register = state << 1 | bit
                gain = s + (a if parity(register & 0o171) else -a) + (b if parity(register & 0o133) else -b)
                if gain > new.get(register & 63, (-np.inf, 0))[0]:
                    new[register & 63] = (gain, state)
        score = {state: s for state, (s, _) in new.items()}
        back.append(new)
    state, bits = 0, []
    for step in reversed(back):
        bits.append(state & 1)
        state = step[state][1]
    return bits[::-1]


def read(image, tiles):
    z = seen(image)
    z = np.pad(z, [(0, -side % TILE) for side in z.shape])
    folded = z.reshape(z.shape[0] // TILE, TILE, z.shape[1] // TILE, TILE).sum((0, 2))
    match = np.fft.ifft2(np.conj(np.fft.fft2(tiles)) * np.fft.fft2(folded)).real
    for id_bits, count in FORMS.items():
        energy = (match[:count] ** 2).sum(0)
        y, x = np.unravel_index(energy.argmax(), energy.shape)
        score = (energy[y, x] / energy.mean() - 1) * np.sqrt(count / 2)
        bits = viterbi(match[:count, y, x])
        number = lambda part: int("".join(map(str, part)), 2)
        if score >= 7 and number(bits[id_bits : id_bits + 24]) == crc24(bits[:id_bits]):
            return number(bits[:id_bits]), score
    return None, 0.0


tiles = patterns(sys.argv[1])
print("first samples of the first pattern:", tiles[0, 0, :4].tolist())
for path in sys.argv[2:]:
    id_, score = read(Image.open(path), tiles)
    print(path, "no mark" if id_ is None else f"id {id_}, score {score:.1f}")
