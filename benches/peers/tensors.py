"""Safetensors files with numpy alone, and the two orders of axes: PyTorch's and pixels-last."""
import json
import struct

import numpy as np
import torch

DTYPES = {"F16": np.float16, "F32": np.float32, "F64": np.float64}


def load(path):
    """Name to float32 array, as the file has them."""
    with open(path, "rb") as file:
        data = file.read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    out = {}
    for name, info in json.loads(data[8:start]).items():
        if name != "__metadata__":
            a, b = info["data_offsets"]
            out[name] = np.frombuffer(data[start + a : start + b], DTYPES[info["dtype"]]).reshape(info["shape"]).astype(np.float32)
    return out


def save(path, tensors, metadata):
    """Writes float32 tensors (or tensors cast to it); names are sorted, so equal content gives equal bytes."""
    header, blob = {"__metadata__": {k: str(v) for k, v in sorted(metadata.items())}}, b""
    for name in sorted(tensors):
        raw = np.ascontiguousarray(torch.as_tensor(tensors[name]).detach().to(torch.float32).cpu().numpy()).astype("<f4")
        header[name] = {"dtype": "F32", "shape": list(raw.shape), "data_offsets": [len(blob), len(blob) + raw.nbytes]}
        blob += raw.tobytes()
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=True).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + blob)


def pixels_last(x):
    """[n, c, h, w] to [n, h, w, c]"""
    return x.permute(0, 2, 3, 1)


def conv_last(w):
    """[out, in, kh, kw] to [kh, kw, in, out]"""
    return w.permute(2, 3, 1, 0)


def conv_first(w):
    """[kh, kw, in, out] to [out, in, kh, kw]; depthwise [kh, kw, c] to [c, 1, kh, kw]"""
    w = torch.as_tensor(w)
    return w.permute(3, 2, 0, 1) if w.ndim == 4 else w.permute(2, 0, 1)[:, None]
