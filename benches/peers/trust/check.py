"""Do other people's verifiers agree? `python check.py FOLDER`, where the example `fixtures` of pinxit-trust has written.

5 formats x {generated, edited, bred} x {root untrusted, root trusted}: pinxit, encypher-c2pa and c2pa-python must say the same of each. A file
is without a failure when its root is trusted, and with none but the untrusted signer when it is not. Of 100 single bytes changed in
each file pinxit and encypher-c2pa must notice every one. Telemetry is off; nothing is fetched.
"""
import collections
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
ROOTS = {"generated": ["jane.pem"], "edited": ["joe.pem", "jane.pem"], "bred": ["jane.pem", "joe.pem"]}
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


def agree(path, roots, ours):
    """What each verifier says of one file, (holds, trusted) by its name; and complaints."""
    data, media_type = path.read_bytes(), TYPES[path.suffix[1:]]
    said = {"pinxit": (ours["holds"], ours["trusted"])}
    complaints = []
    for name, verify, good in [("encypher-c2pa", encypher, GIVEN_ROOT), ("c2pa-python", c2pa_python, "Trusted")]:
        failures, state = verify(data, media_type, roots)
        allowed = set() if roots else {UNTRUSTED}
        said[name] = (set(failures) <= allowed, state == good)
        if not set(failures) <= allowed or (state == good) != bool(roots):
            complaints.append(f"{path.name}: {name}, root {'trusted' if roots else 'untrusted'}: {state}, {failures}")
    if len(set(said.values())) > 1 or not ours["intact"]:
        complaints.append(f"{path.name}: they do not agree: {said}")
    return said, complaints


def judged(path, flips, roots):
    """How often pinxit and encypher-c2pa say what of one file with a byte changed; and complaints where one takes it for good."""
    data, media_type = path.read_bytes(), TYPES[path.suffix[1:]]
    counts, complaints = collections.Counter(), []
    for flip in flips:
        changed = bytearray(data)
        changed[flip["offset"]] ^= flip["mask"]
        try:
            failures, state = encypher(bytes(changed), media_type, roots)
            theirs = "valid" if not failures and state == GIVEN_ROOT else "invalid"
        except Exception:
            theirs = "unreadable"  # it refuses to read the file at all
        counts["pinxit", flip["state"]] += 1
        counts["encypher-c2pa", theirs] += 1
        if "valid" in (flip["state"], theirs):
            what = f"byte {flip['offset']} of {len(data)} ^ {flip['mask']:#04x}"
            complaints.append(f"{path.name}: {what}: pinxit says {flip['state']}, encypher-c2pa {theirs}")
    return counts, complaints


def main():
    folder = pathlib.Path(sys.argv[1])
    ours = json.loads((folder / "ours.json").read_text())
    complaints, agreed, flipped = [], 0, collections.defaultdict(collections.Counter)
    for name, verdicts in ours.items():
        path = folder / name
        roots = "".join((folder / root).read_text() for root in ROOTS[path.stem])
        for case, given in [("untrusted", ""), ("trusted", roots)]:
            said, more = agree(path, given, verdicts[case])
            complaints += more
            agreed += not more
            same = len(set(said.values())) == 1
            verdict = f"all three: {words(*said['pinxit'])}" if same else str(said)
            print(f"{name:<15} root {case:<10} {verdict}")
        counts, more = judged(path, verdicts["flips"], roots)
        complaints += more
        flipped[path.suffix[1:]] += counts
    for ending, counts in flipped.items():
        print(f"{ending:<5} bytes changed:", ", ".join(f"{who} {state} {n}" for (who, state), n in sorted(counts.items())))
    for complaint in complaints:
        print(complaint)
    changed = sum(len(verdicts["flips"]) for verdicts in ours.values())
    versions = f"c2pa-python on c2pa {c2pa.sdk_version()}"
    print(f"{agreed} of {2 * len(ours)} cases agreed on, {changed} changed bytes, encypher-c2pa and {versions}: {len(complaints)} complaints")
    sys.exit(1 if complaints or not ours else 0)


def words(holds, trusted):
    return ("holds" if holds else "does not hold") + (", trusted" if trusted else ", signer not trusted")


main()
