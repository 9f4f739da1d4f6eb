"""Writes table.rs: the type that each layer case of cases.json instantiates.

    python3 convnet-core/tests/vectors/table.py > convnet-core/tests/vectors/table.rs
"""

import json
from pathlib import Path

CASES = json.loads((Path(__file__).parents[3] / "tests/vectors/cases.json").read_text())["cases"]


def volume(shape):
    _, depth, height, width = shape
    return f"[{height}, {width}, {depth}]"


def window(case, filter):
    """The size of the filter, and how it slides; the dilation last, if there is one."""
    attrs = case["attrs"]
    slide = attrs["stride"] + attrs["pad"]
    if attrs.get("dilation", [1, 1]) != [1, 1]:
        slide += attrs["dilation"]
    return f"{' x '.join(map(str, filter))}, Slide<{', '.join(map(str, slide))}>"


def conv(case):
    shapes = case["tensors"]
    return f"{volume(shapes['x'])} -> {volume(shapes['y'])}, {window(case, shapes['weight'][2:])}"


def grouped(case):
    shapes = case["tensors"]
    _, depth, height, width = shapes["weight"]
    x, y = volume(shapes["x"]), volume(shapes["y"])
    return f"{x} -> {y}, {window(case, [height, width, depth])}"


def depthwise(case):
    shapes = case["tensors"]
    _, _, height, width = shapes["y"]
    return f"{volume(shapes['x'])} -> [{height}, {width}], {window(case, shapes['weight'][2:])}"


def kind(case):
    groups, depth, filters = case["attrs"]["groups"], case["tensors"]["x"][1], case["tensors"]["y"][1]
    if groups == 1:
        return conv
    return depthwise if groups == depth == filters else grouped


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


print("//! The type that each layer case of `cases.json` instantiates; written by `table.py`.")
print("\nconv! {")
rows("conv2d", conv, lambda case: kind(case) is not conv)
print("\n// The depth of the volume and, after the size, that of a group.\ngrouped_conv! {")
rows("conv2d", grouped, lambda case: kind(case) is not grouped)
print("\ndepthwise! {")
rows("conv2d", depthwise, lambda case: kind(case) is not depthwise)
print("\npool! { max_pool MaxPool")
rows("max_pool2d", pool)
print("\n// Without those whose average counts padding as pixels: ours does not.")
print("pool! { avg_pool AvgPool")
rows("avg_pool2d", pool, counts_padding)
print("\nfc! {")
rows("fc", fc)
print("\nrelu! {")
rows("relu", relu)
