"""Writes table.rs: the type that each layer case of cases.json instantiates.

    python3 convnet-core/tests/vectors/table.py > convnet-core/tests/vectors/table.rs

A dilated filter is written as the larger one with zeros between, and a grouped one as the one of
full depth with zeros outside its group: the same sums, so the same numbers.
"""

import json
from pathlib import Path

CASES = json.loads((Path(__file__).parents[3] / "tests/vectors/cases.json").read_text())["cases"]


def volume(shape):
    _, depth, height, width = shape
    return f"[{height}, {width}, {depth}]"


def window(case, filter):
    (sy, sx), (top, left) = case["attrs"]["stride"], case["attrs"]["pad"]
    return f"{filter[0]} x {filter[1]}, Slide<{sy}, {sx}, {top}, {left}>"


def conv(case):
    shapes, dilation = case["tensors"], case["attrs"]["dilation"]
    filter = [(f - 1) * d + 1 for f, d in zip(shapes["weight"][2:], dilation)]
    return f"{volume(shapes['x'])} -> {volume(shapes['y'])}, {window(case, filter)}"


def pool(case):
    _, _, height, width = case["tensors"]["y"]
    x = volume(case["tensors"]["x"])
    return f"{x} -> [{height}, {width}], {window(case, case['attrs']['kernel'])}"


def fc(case):
    return f"{volume(case['tensors']['x'])} -> {case['tensors']['y'][1]}"


def relu(case):
    return volume(case["tensors"]["x"])


def counts_padding(case):
    return case["attrs"]["count_include_pad"] and case["attrs"]["pad"] != [0, 0]


def rows(op, row, skip=lambda case: False):
    for case in CASES:
        if case["op"] == op and not skip(case):
            print(f'    "{case["id"]}" {row(case)};')
    print("}")


print("//! Written by `table.py` from `cases.json`: the type that each layer case instantiates.")
print("\nconv! {")
rows("conv2d", conv)
print("\npool! { max_pool MaxPool")
rows("max_pool2d", pool)
print("\n// Without those whose average counts padding as pixels: ours does not.")
print("pool! { avg_pool AvgPool")
rows("avg_pool2d", pool, counts_padding)
print("\nfc! {")
rows("fc", fc)
print("\nrelu! {")
rows("relu", relu)
