"""`python explore PART PINXIT WORK MODEL…`: one part of the evidence of docs/explore.md."""
import importlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import common  # noqa: E402

part, program, work, *rest = sys.argv[1:]
importlib.import_module(part).run(common.Pinxit(program), pathlib.Path(work), rest)
