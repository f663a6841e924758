"""ISCC by the Python reference (pip install iscc-core==1.5.0 pillow):

    python3 xtask/evidence/iscc.py                  the units that crates/pinxit-trust/src/fingerprint.rs must give
    python3 xtask/evidence/iscc.py SOURCE DATASET   every code of an imported dataset beside those made here from its files:
                                                    Data- and Instance-Codes must be equal, Image-Codes near
"""
import io, json, pathlib, sys
import iscc_core


def units():
    samples = bytes((i * i * 7 + i * 13) % 251 for i in range(1024))
    image = iscc_core.gen_image_code(list(samples), bits=64)["iscc"]
    data = iscc_core.gen_data_code(io.BytesIO(samples), bits=64)["iscc"]
    instance = iscc_core.gen_instance_code(io.BytesIO(samples), bits=64)["iscc"]
    print("image", image)
    print("data", data)
    print("instance", instance)
    print("code", iscc_core.gen_iscc_code([image, data, instance])["iscc"])


def body(code):
    return iscc_core.decode_base32(code.removeprefix("ISCC:"))[2:]


def image_code(path):
    """Upright, grey, Pillow's bicubic: another road to the 1024 samples than pinxit's."""
    from PIL import Image, ImageOps

    grey = ImageOps.exif_transpose(Image.open(path)).convert("RGB").convert("L")
    return iscc_core.gen_image_code(list(grey.resize((32, 32), Image.BICUBIC).tobytes()), bits=64)["iscc"]


def compare(source, dataset):
    rows = json.loads((dataset / "croissant.json").read_text())["recordSet"][0]["data"]
    equal, distances = 0, []
    for row in rows:
        path = source / row["works/file"]
        file, code = path.read_bytes(), body(row["works/iscc"])
        data = body(iscc_core.gen_data_code(io.BytesIO(file), bits=64)["iscc"])
        instance = body(iscc_core.gen_instance_code(io.BytesIO(file), bits=64)["iscc"])
        equal += code[8:16] == data[:8] and code[16:24] == instance[:8]
        near = int.from_bytes(code[:8], "big") ^ int.from_bytes(body(image_code(path))[:8], "big")
        distances.append(near.bit_count())
    mean = sum(distances) / len(distances)
    print(f"{len(rows)} works: Data- and Instance-Codes equal for {equal}; Image-Codes differ in {mean:.2f} of 64 bits, {max(distances)} at most")
    assert equal == len(rows)


if len(sys.argv) == 3:
    compare(*map(pathlib.Path, sys.argv[1:]))
else:
    units()
