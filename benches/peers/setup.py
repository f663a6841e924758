"""Sets up the private Python environment of the peers: `python3 setup.py FOLDER` (a few minutes, about 1.5 GB); again is free.

PyTorch's default wheel for Linux is linked against CUDA libraries that a CPU comparison never calls. The wheel is installed without
them and empty stand-ins (gcc, readelf and nm needed) let its CPU half load. The arithmetic is PyTorch's own and untouched.
Prints the path of the environment's Python as its last line.
"""
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
NAMES = re.compile(r"^(__cuda|cuda|cu[A-Z]|cublas|cudnn|cufft|curand|cusparse|cusolver|nccl|nvrtc|nvshmem|nvtx|cupti|nvJit|cuFile|nvml)|nvshmem")


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def missing_libraries(libraries):
    """Names of NVIDIA libraries that torch's own libraries want and do not bring."""
    have = {path.name for path in libraries}
    wanted = {name for path in libraries for name in re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "-d", str(path)))}
    return sorted(n for n in wanted - have if re.match(r"lib(cu|nv|nccl)", n))


def missing_symbols(libraries):
    """Symbol to version, for every NVIDIA symbol that none of them defines."""
    undefined, defined = {}, set()
    for path in libraries:
        for line in output("nm", "-D", "--with-symbol-versions", str(path)).splitlines():
            parts = line.split()
            name, _, version = parts[-1].partition("@")
            if parts[-2] == "U":
                undefined[name] = version.lstrip("@")
            elif len(parts) == 3:
                defined.add(name)
    return {name: version for name, version in undefined.items() if name not in defined and NAMES.search(name)}


def make_stand_ins(folder):
    libraries = sorted(folder.glob("*.so*"))
    names, symbols = missing_libraries(libraries), missing_symbols(libraries)
    if not names:
        return
    source, versions = folder / "stand_in.c", folder / "stand_in.map"
    source.write_text("".join(f"int {name}(void) {{ return 100; }}\n" for name in symbols))
    by_version = {}
    for name, version in symbols.items():
        by_version.setdefault(version, []).append(name)
    versions.write_text("".join(f"{v} {{ global: {'; '.join(n)}; }};\n" for v, n in by_version.items() if v))
    script = [f"-Wl,--version-script={versions}"] if any(by_version) else []
    for name in names:
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", folder / name, source, f"-Wl,-soname,{name}", *script], check=True)
    print(f"{len(names)} stand-ins for {len(symbols)} symbols", file=sys.stderr)


def main():
    if len(sys.argv) != 2:
        raise SystemExit("usage: python3 setup.py FOLDER")
    home = pathlib.Path(sys.argv[1]).resolve()
    python, wanted = home / "bin/python", (HERE / "requirements.txt").read_text()
    done = home / "peers.installed"
    if not done.exists() or done.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "-r", HERE / "requirements.txt"], check=True)
        site = output(str(python), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])").strip()
        if sys.platform == "linux":
            make_stand_ins(pathlib.Path(site) / "torch/lib")
        subprocess.run([python, "-c", "import onnxruntime, onnxscript, torch; torch.ones(3).sum()"], check=True)
        done.write_text(wanted)
    print(python)


if __name__ == "__main__":
    main()
