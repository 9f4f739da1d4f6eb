"""The node tests of the `onnx` package of every operator that the importer knows, for `compare.py --node-tests`.

A node test is a model of one node (or of several, where a function is expanded) with stored inputs and outputs. All
its inputs but the first become constants here: they are its weights. An image is an input of four axes, a vector one of
two; the first is the batch. Where every node computes each number by itself, an input of three axes is one image, one of
one axis one vector: a 1 in front changes nothing there.
"""

import collections
import functools
import pathlib
import re

import numpy as np
import onnx
from onnx import numpy_helper

SOURCE = pathlib.Path(__file__).resolve().parents[1] / "src/onnx"
# What they compute of a number, or of two, they compute of a volume of any axes, these aligned at the end.
BY_NUMBER = (
    "Add Cast Clip Constant Div Dropout Elu Erf Gelu HardSigmoid HardSwish Identity LeakyRelu Mul PRelu Relu Sigmoid Softplus "
    "Sub Sum Tanh"
).split()


def operators():
    """Those that the importer knows, by what it asks for in its own source."""
    arms = [r"^ *((?:\"[A-Z]\w+\"(?: \| )?)+)(?: if [^=]*)? =>", r"op_type == (\"[A-Z]\w+\")"]
    texts = [(SOURCE / it).read_text() for it in ("translate.rs", "fold.rs", "patterns.rs")]
    found = [it for text in texts for arm in arms for it in re.findall(arm, text, re.MULTILINE)]
    return {name for it in found for name in re.findall(r"\w+", it)}


def models(folder):
    """Name, path, no size of an image, no output, and what is stored for each test: images, and of each its outputs."""
    data = pathlib.Path(onnx.__file__).parent / "backend/test/data/node"
    known = operators()
    for path in sorted(data.iterdir()):
        model = onnx.load(path / "model.onnx")
        kinds = {node.op_type for node in model.graph.node}
        if not kinds <= known or not model.graph.input:
            continue
        inputs = list(model.graph.input)
        for at, entry in enumerate(inputs[1:], 1):
            tensor = onnx.TensorProto()
            tensor.ParseFromString((path / f"test_data_set_0/input_{at}.pb").read_bytes())
            tensor.name = entry.name
            model.graph.initializer.append(tensor)
            model.graph.input.remove(entry)
        by_number = kinds <= set(BY_NUMBER)
        for end in [*model.graph.input, *model.graph.output]:
            dims = end.type.tensor_type.shape.dim
            if by_number and len(dims) in (1, 3):
                sizes = [onnx.TensorShapeProto.Dimension(dim_param="batch"), *dims]
                del dims[:]
                dims.extend(sizes)
            elif len(dims) in (2, 4):
                # Images are compared one at a time.
                dims[0].dim_param = "batch"
        name = path.name.removeprefix("test_")
        to = folder / f"{name}.onnx"
        onnx.save(model, to)
        yield name, to, None, None, functools.partial(data_set, path, len(model.graph.output), by_number)


def data_set(path, outputs, by_number):
    """The stored input as images, and for each of these what is stored of the outputs."""
    def values(name):
        tensor = onnx.TensorProto()
        tensor.ParseFromString((path / f"test_data_set_0/{name}.pb").read_bytes())
        found = numpy_helper.to_array(tensor).astype(np.float32)
        return found[None] if by_number and found.ndim in (1, 3) else found

    images = values("input_0")
    ends = [values(f"output_{at}") for at in range(outputs)]
    count = len(images)
    if any(len(it) != count for it in ends):
        raise ValueError("an output is not of one image each")
    return [(images[at : at + 1], [it[at : at + 1] for it in ends]) for at in range(count)]


def operator(path):
    """Of which operator it is a test; those of several nodes are functions, expanded."""
    kinds = {node.op_type for node in onnx.load(path).graph.node}
    return kinds.pop() if len(kinds) == 1 else "several"


def table(rows, paths):
    """A row for each operator: how many tests, how many are networks and equal, how many are refused, and why."""
    groups = collections.defaultdict(list)
    for name, what in rows:
        groups[operator(paths[name])].append((name, what))
    for kind, tests in sorted(groups.items()):
        equal = [what for _, what in tests if " plain" in what]
        reasons = collections.Counter(reason(what) for _, what in tests if " plain" not in what)
        why = "; ".join(f"{count} × {it}" for it, count in reasons.most_common())
        print(f"| `{kind}` | {len(tests)} | {len(equal)} | {why} |")


def reason(what):
    """What is said of it, without its own names and numbers."""
    said = what.removeprefix("refused: error: ").split(": ")
    return re.sub(r"`[^`]*`", "`…`", re.sub(r"\d+", "N", ": ".join(said[:3])))[:100]
