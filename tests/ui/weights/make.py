#!/usr/bin/env python3
"""Writes the weight files of `tests/ui/{pass,fail}/weights_*.rs`, each with one thing wrong."""

import json
import pathlib
import struct

HERE = pathlib.Path(__file__).parent
SHAPES = {
    "conv1.filters": [3, 3, 1, 2],
    "conv1.bias": [2],
    "scores.filters": [2, 2, 2, 3],
    "scores.bias": [3],
}
BYTES = {"F16": 2, "F32": 4}


def file(shapes, dtypes={}, metadata=None, given={}):
    header, data = ({"__metadata__": metadata} if metadata else {}), b""
    for name, shape in shapes.items():
        dtype, count = dtypes.get(name, "F32"), 1
        for axis in shape:
            count *= axis
        values = given.get(name, [(len(data) // 4 + i) / 8 for i in range(count)])
        at = len(data)
        data += struct.pack(f"<{count}{'e' if dtype == 'F16' else 'f'}", *values)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, len(data)]}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def without(name):
    return {other: shape for other, shape in SHAPES.items() if other != name}


def write(name, content):
    (HERE / f"{name}.safetensors").write_bytes(content)


right = file(SHAPES, metadata={"said": 'by a "{program}"'})
write("right", right)
write("missing", file(without("scores.bias")))
write("extra", file(SHAPES | {"conv2.bias": [4]}))
write("shape", file(SHAPES | {"conv1.filters": [3, 3, 1, 8]}))
write("dtype", file(SHAPES, {"scores.filters": "F16"}))
write("short", right[:-4])
write("long", right + bytes(4))

# A running variance that with PyTorch's eps of 1e-5 is below 0, 0, and above.
NORM = {f"n.{tensor}": [2] for tensor in ("gamma", "beta", "mean", "variance")}
for name, least in ("variance", -2e-5), ("variance_eps", -1e-5), ("variance_near", -9.9999e-6):
    write(name, file(NORM, given={"n.variance": [0.5, least]}))
write("variance_nan", file(NORM, given={"n.variance": [float("nan"), 0.5]}))
