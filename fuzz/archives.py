"""Writes the archives among the seeds of the target `import`: python3 fuzz/archives.py (standard library only).

The first byte of a seed is its place in IMPORT_NAMES of targets.rs.
"""
import io
import pathlib
import struct
import tarfile
import zipfile
import zlib

seeds = pathlib.Path(__file__).parent / "seeds" / "import"
ZIP, TAR, TAR_GZ = 10, 11, 12


def png(side, colour):
    """A PNG of one colour."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    rows = (b"\0" + bytes(colour) * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


FILES = {
    "round/a.png": png(16, (200, 10, 10)),
    "square/b.png": png(20, (10, 10, 200)),
    "round/a.tdm.json": b'{"tdm-reservation": 0}',
    "labels.csv": b"file,class\nround/a.png,round\n",
    "../up.png": png(16, (1, 2, 3)),
}


def packed(method):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in FILES.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def tarred(mode):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, data in FILES.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return out.getvalue()


seeds.mkdir(parents=True, exist_ok=True)
for name, first, data in [
    ("stored.zip", ZIP, packed(zipfile.ZIP_STORED)),
    ("deflated.zip", ZIP, packed(zipfile.ZIP_DEFLATED)),
    ("works.tar", TAR, tarred("w")),
    ("works.tar.gz", TAR_GZ, tarred("w:gz")),
]:
    (seeds / name).write_bytes(bytes([first]) + data)
