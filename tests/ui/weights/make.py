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
FORMATS = {"F16": "e", "F32": "f", "I8": "b", "I32": "i"}


def file(shapes, dtypes={}, metadata=None, given={}):
    header, data = ({"__metadata__": metadata} if metadata else {}), b""
    for name, shape in shapes.items():
        dtype, count = dtypes.get(name, "F32"), 1
        for axis in shape:
            count *= axis
        values = given.get(name, [(len(data) // 4 + i) / 8 for i in range(count)])
        at = len(data)
        data += struct.pack(f"<{count}{FORMATS[dtype]}", *values)
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

# The same network in bytes.
INT8 = {"conv1.filters": [2, 3, 3, 1], "scores.filters": [3, 2, 2, 2]}
DTYPES, GIVEN = {name: "I8" for name in INT8}, {"conv1.filters": [-127] * 18, "scores.filters": [127] * 24}
for layer, count in ("conv1", 2), ("scores", 3):
    for tensor, value in ("bias", 1), ("multiplier", 1 << 30), ("shift", -5):
        name = f"{layer}.{tensor}"
        INT8[name], DTYPES[name], GIVEN[name] = [count], "I32", [value] * count
for tensor, dtype, value in ("scale", "F32", 0.5), ("zero", "I8", 3), ("lower", "I8", -128), ("upper", "I8", 127):
    name = f"volumes.{tensor}"
    INT8[name], DTYPES[name], GIVEN[name] = [3], dtype, [value] * 3
write("int8", file(INT8, DTYPES, given=GIVEN))
write("int8_shape", file(INT8 | {"conv1.filters": [2, 3, 3, 2]}, DTYPES, given=GIVEN | {"conv1.filters": [1] * 36}))
write("int8_least", file(INT8, DTYPES, given=GIVEN | {"scores.filters": [127] * 20 + [-128] + [0] * 3}))
