"""Writes models/custom.onnx, a network with operators that no layer computes, and what ONNX Runtime computes of it.

    pip install numpy onnx==1.17 onnxruntime safetensors
    python convnet-import/tests/custom_model.py
"""

import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

random = np.random.default_rng(15)


def weights(name, *shape):
    fan_in = max(1, int(np.prod(shape[1:])))
    return numpy_helper.from_array(random.normal(0, fan_in**-0.5, shape).astype(np.float32), name)


def model():
    constants = [weights("stem.weight", 8, 3, 3, 3), weights("stem.bias", 8), weights("scores.weight", 5, 8), weights("scores.bias", 5)]
    constants.append(numpy_helper.from_array(random.uniform(0.5, 2, [8, 1, 1]).astype(np.float32), "bend.exponent"))
    nodes = [
        helper.make_node("Conv", ["image", "stem.weight", "stem.bias"], ["stem"], "/stem/Conv", pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Mish", ["stem"], ["mish"], "/act/Mish"),
        helper.make_node("Abs", ["mish"], ["size"], "/abs/Abs"),
        helper.make_node("Pow", ["size", "bend.exponent"], ["bent"], "/bend/Pow"),
        helper.make_node("GlobalAveragePool", ["bent"], ["mean"], "/mean/GlobalAveragePool"),
        helper.make_node("Flatten", ["mean"], ["flat"], "/flat/Flatten"),
        helper.make_node("Gemm", ["flat", "scores.weight", "scores.bias"], ["scores"], "/scores/Gemm", transB=1),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, 8, 10])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 5])
    graph = helper.make_graph(nodes, "custom", [image], [scores], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(made)
    return made.SerializeToString()


if __name__ == "__main__":
    folder, made = pathlib.Path(__file__).parent / "models", model()
    session = onnxruntime.InferenceSession(made)
    images = random.standard_normal([2, 3, 8, 10]).astype(np.float32)
    scores = np.concatenate(session.run(None, {"image": images}))
    (folder / "custom.onnx").write_bytes(made)
    save_file({"images": np.ascontiguousarray(np.moveaxis(images, 1, -1)), "scores": scores}, folder / "custom.expected.safetensors")
    print(len(made), scores)
