"""Do other people's verifiers agree? `python check.py FOLDER`, where the example `fixtures` of pinxit-trust has written.

Every file must be without a failure for encypher-c2pa and c2pa-python when its root is trusted, and with no failure but the
untrusted signer when it is not; every changed byte must be noticed by encypher-c2pa. Telemetry is off; nothing is fetched.
"""
import json
import os
import pathlib
import sys

os.environ["ENCYPHER_C2PA_TELEMETRY"] = "off"

import c2pa
import encypher_c2pa

# What encypher-c2pa says of a signer that ends in a root it was given, as against one of a public list.
GIVEN_ROOT = "valid_for_supplied_material"
UNTRUSTED = "signingCredential.untrusted"
ROOTS = {"generated": ["jane.pem"], "edited": ["joe.pem", "jane.pem"]}
TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "tif": "image/tiff", "gif": "image/gif"}


def encypher(data, media_type, roots):
    """Failure codes, and whether the signer is trusted."""
    report = encypher_c2pa.verify(
        data, media_type, trust_pem=roots or None, no_default_trust=True, telemetry=False, online=False
    )
    return [f["code"] for f in report["validation_results"]["failure"]], report["trust"]["status"]


def c2pa_python(data, media_type, roots):
    """Failure codes, and the validation state."""
    import io

    settings = {"version": 1, "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
    if roots:
        settings["trust"] = {"user_anchors": roots}
    context = c2pa.Context(settings=c2pa.Settings.from_dict(settings))
    with c2pa.Reader(media_type, io.BytesIO(data), context=context) as reader:
        report = json.loads(reader.json())
    return [s["code"] for s in report.get("validation_status", [])], report["validation_state"]


def agree(path, roots):
    """Complaints about one file, with and without its root."""
    data, media_type = path.read_bytes(), TYPES[path.suffix[1:]]
    for name, verify, good in [("encypher-c2pa", encypher, GIVEN_ROOT), ("c2pa-python", c2pa_python, "Trusted")]:
        failures, state = verify(data, media_type, roots)
        if failures or state != good:
            yield f"{path.name}: {name}, root trusted: {state}, {failures}"
        failures, state = verify(data, media_type, "")
        if not set(failures) <= {UNTRUSTED} or state == good:
            yield f"{path.name}: {name}, root untrusted: {state}, {failures}"


def noticed(path, flips, roots):
    """Changed bytes of one file that encypher takes for good."""
    data, media_type = path.read_bytes(), TYPES[path.suffix[1:]]
    for offset, mask in flips:
        changed = bytearray(data)
        changed[offset] ^= mask
        try:
            failures, state = encypher(bytes(changed), media_type, roots)
        except Exception:
            continue  # it refuses to read the file at all
        if not failures and state == GIVEN_ROOT:
            yield f"{path.name}: byte {offset} of {len(data)} ^ {mask:#04x} is not noticed"


def main():
    folder = pathlib.Path(sys.argv[1])
    flips = json.loads((folder / "flips.json").read_text())
    complaints = []
    for name, changes in flips.items():
        path = folder / name
        roots = "".join((folder / root).read_text() for root in ROOTS[path.stem])
        complaints += agree(path, roots)
        complaints += noticed(path, changes, roots)
    for complaint in complaints:
        print(complaint)
    versions = f"c2pa-python on c2pa {c2pa.sdk_version()}"
    print(f"{len(flips)} files, {sum(map(len, flips.values()))} changed bytes, encypher-c2pa and {versions}: {len(complaints)} complaints")
    sys.exit(1 if complaints or not flips else 0)


main()
