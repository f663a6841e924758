"""How fast ONNX Runtime paints with pinxit's own generator: one JSON line, made to be called in turns with pinxit itself.

    python bench_ort.py --preset xs-64 --batch 32 --seconds 10 --threads 2

The generator of `nets.py` in f32, exported by torch.onnx for the batch that is timed, in the graph optimisation and memory layout that
ONNX Runtime chooses; its pictures must equal PyTorch's.
"""
import argparse
import json
import pathlib
import tempfile

import onnxruntime
import torch

import clock
import nets

CLASSES = 8
# Largest difference between ONNX Runtime's pictures and PyTorch's, which lie in about -1..1.
TOLERANCE = 1e-3


class Painter(torch.nn.Module):
    """z and labels to pictures, as `pinxit_nn::Generator`."""

    def __init__(self, preset):
        super().__init__()
        self.g = nets.Generator(nets.GENERATORS[preset], CLASSES, style=nets.style_width(preset))

    def forward(self, z, labels):
        return self.g(z, labels)


def session(painter, inputs, threads):
    """The exported graph, ready to run. The file is gone once it is loaded."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "generator.onnx"
        torch.onnx.export(painter, inputs, path, input_names=["z", "labels"], output_names=["picture"], dynamo=True, verbose=False)
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


@torch.no_grad()
def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--preset", choices=sorted(nets.GENERATORS), default="xs-64")
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--seconds", type=float, default=10.0)
    p.add_argument("--threads", type=int, default=2)
    o = p.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(o.threads)
    painter = Painter(o.preset).eval()
    z, labels = torch.randn(o.batch, painter.g.z_dim), torch.arange(o.batch) % CLASSES
    run = session(painter, (z, labels), o.threads)
    feed = {"z": z.numpy(), "labels": labels.numpy()}
    difference = (torch.from_numpy(run.run(None, feed)[0]) - painter(z, labels)).abs().max().item()
    if not difference < TOLERANCE:
        raise SystemExit(f"ONNX Runtime paints something else: the pictures differ by {difference}")
    times = clock.seconds_a_call(lambda: run.run(None, feed), o.seconds)
    median = times[len(times) // 2]
    print(
        json.dumps(
            {
                "peer": "onnxruntime " + onnxruntime.__version__,
                "preset": o.preset,
                "batch": o.batch,
                "threads": o.threads,
                "steps": len(times),
                "largest_difference": difference,
                "images_per_second": round(o.batch / median, 3),
                "milliseconds_per_step": round(median * 1e3, 3),
            }
        )
    )


if __name__ == "__main__":
    main()
